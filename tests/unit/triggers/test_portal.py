import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import azure.functions as func
import pytest

from functions.access.entries import access_rules
from functions.access.roles import Role
from functions.errors import StorageError
from functions.portal.files import PAGE, portal_files
from functions.triggers import alerts, costs, evidence, operations
from functions.triggers.http import Endpoint, Page, serve
from functions.triggers.portal import ENDPOINTS
from functions.wiring import Services
from tests.unit.triggers.rig import body_of, make_rig, principal, request

ME = next(endpoint for endpoint in ENDPOINTS if not endpoint.open)
OTHERS = (
    ME,
    *evidence.ENDPOINTS,
    *costs.ENDPOINTS,
    *alerts.ENDPOINTS,
    *operations.ENDPOINTS,
)
SVG_NAMESPACE = '"http://www.w3.org/2000/svg"'


def ask(name: str, headers: Mapping[str, str] = MappingProxyType({}), **route: str) -> func.HttpResponse:
    """Ask while there are no services: storage is away, or the configuration is broken."""
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == name)
    return serve(endpoint, request(header="", route=route, headers=headers), away)[0]


def away() -> Services:
    raise StorageError("Storage is away.", next_step="Wait.")


def policy(response: func.HttpResponse) -> dict[str, str]:
    directives = response.headers["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (one.partition(" ") for one in directives)}


def test_the_page_is_open_and_the_same_for_everybody() -> None:
    response = ask("show_portal")
    assert (response.status_code, response.mimetype) == (200, "text/html; charset=utf-8")
    assert response.get_body() == portal_files()[PAGE].content


@pytest.mark.parametrize("name", portal_files())
def test_a_file_has_its_type_and_a_policy_that_lets_nothing_foreign_in(name: str) -> None:
    response = ask("show_portal_file", file=name)
    assert (
        response.mimetype.partition(";")[0]
        == {
            "css": "text/css",
            "html": "text/html",
            "js": "text/javascript",
        }[name.rpartition(".")[2]]
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert policy(response) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


@pytest.mark.parametrize(
    "name", ["", "files.py", "__init__.py", "../wiring.py", "..%2Fwiring.py", "x" * 10_000]
)
def test_nothing_else_is_a_file_of_the_portal(name: str) -> None:
    assert ask("show_portal_file", file=name).status_code == 404


def test_the_page_holds_no_script_and_no_style_of_its_own() -> None:
    page = portal_files()[PAGE].content.decode()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]*)"', page)
    assert len(loaded) >= 2
    assert {address.removeprefix("/portal/") for address in loaded} <= portal_files().keys()


def test_no_script_puts_text_into_the_page_as_html() -> None:
    scripts = "".join(file.content.decode() for name, file in portal_files().items() if name.endswith(".js"))
    scripts = scripts.replace(SVG_NAMESPACE, "")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?:", scripts) == []


SCRIPTS = {name: file.content.decode() for name, file in portal_files().items() if name.endswith(".js")}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_script_imports_is_there_and_each_name_is_used(name: str) -> None:
    imported = re.findall(r'import \{([^}]*)\} from "\./([^"]*)";', SCRIPTS[name])
    body = re.sub(r"(?s)import \{.*?;", "", SCRIPTS[name])
    for names, module in imported:
        given = set(re.findall(r"(?m)^export (?:async )?(?:function|const|class) (\w+)", SCRIPTS[module]))
        wanted = {one.strip() for one in names.split(",") if one.strip()}
        assert wanted <= given, module
        assert {one for one in wanted if not re.search(rf"\b{one}\b", body)} == set()
    assert set(re.findall(r'import\("\./([^"]*)"\)', body)) <= SCRIPTS.keys()
    assert SCRIPTS[name].count(' from "./') == len(imported)


def test_every_script_is_used() -> None:
    used = set(re.findall(r'"\./(\w+\.js)"', "".join(SCRIPTS.values())))
    assert SCRIPTS.keys() - used == {"portal.js"}


@pytest.mark.parametrize("endpoint", OTHERS, ids=lambda endpoint: endpoint.name)
def test_an_answer_of_the_api_is_no_page(endpoint: Endpoint | Page) -> None:
    rig = make_rig()
    response = serve(endpoint, request(header=""), lambda: rig.services)[0]
    assert policy(response) == {"default-src": "'none'", "frame-ancestors": "'none'"}


@pytest.mark.parametrize("name", portal_files())
def test_a_file_is_sent_again_only_if_it_has_changed(name: str) -> None:
    first = ask("show_portal_file", file=name)
    assert first.headers["Cache-Control"] == "no-cache"  # kept, but asked about each time
    for held in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = ask("show_portal_file", {"If-None-Match": held}, file=name)
        assert (again.status_code, again.get_body()) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert policy(again) == policy(first)
    for held in ("", '"other"', first.headers["ETag"].strip('"')):
        assert ask("show_portal_file", {"If-None-Match": held}, file=name).get_body() == first.get_body()


def test_other_contents_have_other_tags() -> None:
    assert len({file.tag for file in portal_files().values()}) == len(portal_files())


def me(roles: Sequence[str], section: Mapping[str, Any]) -> Any:
    services = make_rig().services
    limited = replace(services, configuration=replace(services.configuration, access=access_rules(section)))
    return body_of(serve(ME, request(header=principal(*roles)), lambda: limited)[0])


def test_me_answers_name_roles_and_limits_and_nothing_else() -> None:
    entry = {"role": Role.TRACES_READ.value, "id": "person-1", "agents": ["dispatcher"]}
    assert me(["Costs.Read", "Traces.Read", "Owner.Of.Everything"], {"entries": [entry]}) == {
        "name": "Ada",
        "roles": ["Costs.Read", "Traces.Read"],
        "limited": {"Costs.Read": False, "Traces.Read": True},
    }


def test_a_role_that_lets_in_nowhere_is_none_of_mine() -> None:
    entry = {"role": Role.COSTS_READ.value, "id": "person-1"}
    told = me(["Costs.Read", "Traces.Read"], {"default": "none", "entries": [entry]})
    assert (told["roles"], told["limited"]) == (["Costs.Read"], {"Costs.Read": False})
