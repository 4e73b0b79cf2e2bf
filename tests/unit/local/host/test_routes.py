import pytest

from local.host.functions_runtime import Binding, Function
from local.host.routes import Routes


def http_function(name: str, route: str | None, methods: list[str] | None = None) -> Function:
    settings = {"route": route, "methods": methods, "authLevel": "ANONYMOUS"}
    return Function(name, name, Binding("req", "httpTrigger", settings), ())


ROUTES = Routes(
    [
        http_function("any_export", "exports/{id}", ["GET"]),
        http_function("new_export", "exports", ["POST"]),
        http_function("bundle", "exports/{id}/bundle", ["GET"]),
        http_function("latest", "exports/latest", ["GET"]),
        http_function("static", "portal/{*path}", ["GET"]),
        http_function("page", "pages/{name?}", ["GET"]),
        http_function("bare", None, None),
    ],
    "api/v1",
)


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/api/v1/exports/7", "any_export", {"id": "7"}),
        ("GET", "/api/v1/exports/7/", "any_export", {"id": "7"}),
        ("GET", "/API/v1/Exports/Aa", "any_export", {"id": "Aa"}),
        ("POST", "/api/v1/exports", "new_export", {}),
        ("GET", "/api/v1/exports/7/bundle", "bundle", {"id": "7"}),
        ("GET", "/api/v1/exports/latest", "latest", {}),
        ("GET", "/api/v1/exports/a%20b%C3%A9", "any_export", {"id": "a bé"}),
        ("GET", "/api/v1/exports/..%2F..%2fx", "any_export", {"id": "..%2F..%2Fx"}),
        ("GET", "/api/v1/exports/%27%20or%201%3D1", "any_export", {"id": "' or 1=1"}),
        ("GET", "/api/v1/exports/" + "a" * 10_000, "any_export", {"id": "a" * 10_000}),
        ("GET", "/api/v1/portal", "static", {}),
        ("GET", "/api/v1/portal/a/b.js", "static", {"path": "a/b.js"}),
        ("GET", "/api/v1/pages", "page", {}),
        ("GET", "/api/v1/pages/one", "page", {"name": "one"}),
        ("POST", "/api/v1/bare", "bare", {}),
    ],
)
def test_a_request_finds_its_function(
    method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    match = ROUTES.find(method, path)
    assert match is not None
    assert (match.function.name, match.parameters) == (function, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/api/v1"),
        ("GET", "/exports/7"),
        ("GET", "/api/v1/exports"),
        ("DELETE", "/api/v1/exports/7"),
        ("GET", "/api/v1/exports/7/bundle/more"),
        ("GET", "/api/v1/exports//bundle"),
        ("PUT", "/api/v1/bare"),
    ],
)
def test_an_unknown_path_or_method_finds_none(method: str, path: str) -> None:
    assert ROUTES.find(method, path) is None


def test_a_template_that_the_host_lacks_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="id:int"):
        Routes([http_function("typed", "things/{id:int}")], "")
