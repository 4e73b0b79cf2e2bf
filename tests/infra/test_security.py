"""docs/security.md says what the Bicep grants, role by role and scope by scope, and the other way round."""

import re

from local.roles import ROLES
from tests.infra.bicep import ROOT, Declaration, Template, members, templates
from tests.infra.test_bicep import BUILT_IN_ROLES

TEXT = (ROOT / "docs/security.md").read_text()
SCOPES = {
    "storage": "storage account",
    "component": "component",
    "workspace": "workspace",
    "vault": "vault",
    "vault::signingKey": "signing key",
}
"""What the symbols of the Bicep are called in the page."""


def rows(section: str, header: str) -> list[list[str]]:
    """Return the cells of a table of the page, by the beginning of its header."""
    [chapter] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    lines = chapter.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(header))
    found = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return found


def guid_of(grant: Declaration, template: Template) -> str:
    """Return the id of the role that is granted, by the variable that names it."""
    definition = members(grant.body["properties"])["roleDefinitionId"]
    [name] = re.findall(r"'Microsoft.Authorization/roleDefinitions',\s*([\w.]+)\s*\)", definition)
    holder, _, member = name.partition(".")
    text = template.variables[holder]
    return (members(text)[member] if member else text).strip("'")


def granted() -> list[tuple[str, str, str, str]]:
    """Return role, id, scope and file of everything that the Bicep grants."""
    found = []
    for path, template in templates().items():
        for one in template.resources:
            if one.target.startswith("Microsoft.Authorization/roleAssignments"):
                guid = guid_of(one, template)
                found.append((BUILT_IN_ROLES[guid], guid, SCOPES[one.body["scope"]], path))
    return found


def test_the_table_has_each_role_that_is_granted_with_its_id_scope_and_file_and_no_other() -> None:
    told = [tuple(row) for row in rows("Roles of the app's identity", "| role | id |")]
    assert sorted(told) == sorted(granted())


def test_each_role_has_its_reason_and_what_breaks_without_it() -> None:
    told = rows("Roles of the app's identity", "| role | why |")
    assert [row[0] for row in told] == list(dict.fromkeys(role for role, *_ in granted_in_order()))
    assert all(len(row) == 5 and all(row) for row in told)


def granted_in_order() -> list[list[str]]:
    return rows("Roles of the app's identity", "| role | id |")


def test_the_laptop_can_take_away_each_role_that_is_granted_and_no_other() -> None:
    assert {role for role, *_ in granted()} == ROLES


def test_each_role_that_a_message_asks_for_is_one_that_is_granted() -> None:
    known = "|".join(map(re.escape, sorted(ROLES)))
    code = {path: path.read_text() for path in (ROOT / "functions").rglob("*.py")}
    asked = re.compile(r"app's identity (?:has )?the role\s+([A-Z]\w+(?: [A-Z]\w+)+)")
    flat = {path: re.sub(r'"\s*\n\s*f?"', "", text) for path, text in code.items()}
    found = {name for text in flat.values() for name in asked.findall(text)}
    assert found
    assert {name for name in found if not re.match(known, name)} == set()


def test_what_is_to_be_changed_is_what_the_vault_holds() -> None:
    vault = templates()["modules/vault.bicep"]
    kept = {
        one.body["name"].strip("'")
        for one in vault.resources
        if one.target.startswith(("Microsoft.KeyVault/vaults/secrets", "Microsoft.KeyVault/vaults/keys"))
    }
    told = {name for row in rows("Changing secrets and keys", "| what | how |") for name in words(row[1])}
    assert kept <= told


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text))
