"""Finds the HTTP function that answers a request, by the route templates of the indexed triggers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from local.host.functions_runtime import Function

_PARAMETER = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?P<optional>\??)\}")


@dataclass(frozen=True, slots=True)
class Match:
    """The function for a request and the values of its route's parameters, decoded."""

    function: Function
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Route:
    function: Function
    methods: frozenset[str]
    pattern: re.Pattern[str]
    order: tuple[int, ...]


class Routes:
    """The routes of an app.

    Literal segments go before parameters, and those before a `{*rest}`; literals match in any letter case:
    https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-template-precedence

    Args:
        functions: Those without an HTTP trigger are passed over.
        prefix: `extensions.http.routePrefix` of host.json.

    Raises:
        ValueError: A template has something that the host lacks, such as a constraint `{id:int}`.
    """

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        routes = [
            _read_route(function, prefix) for function in functions if function.trigger.type == "httpTrigger"
        ]
        self._routes = sorted(routes, key=lambda route: route.order)

    def find(self, method: str, path: str) -> Match | None:
        """The match for a path as it stands in the request line, without the query; None where none fits.

        A route that exists for another method is no match: the Functions host answers 404 there, not 405.
        """
        for route in self._routes:
            found = route.pattern.fullmatch(path)
            if found and method in route.methods:
                values = {
                    name: _decode(value) for name, value in found.groupdict().items() if value is not None
                }
                return Match(route.function, values)
        return None


def _read_route(function: Function, prefix: str) -> _Route:
    settings = function.trigger.settings
    template = "/".join(part.strip("/") for part in (prefix, settings.get("route") or function.name) if part)
    segments = [_read_segment(segment, template) for segment in template.split("/")]
    methods = frozenset(method.upper() for method in settings.get("methods") or ("GET", "POST"))
    return _Route(
        function,
        methods,
        re.compile("".join(pattern for pattern, _ in segments) + "/?", re.IGNORECASE),
        tuple(order for _, order in segments),
    )


def _read_segment(segment: str, template: str) -> tuple[str, int]:
    """A segment's pattern with its leading slash, and its place among others."""
    parameter = _PARAMETER.fullmatch(segment)
    if parameter is None:
        if "{" in segment:
            raise ValueError(f"The local host can't serve the segment {segment!r} of the route {template!r}.")
        return f"/{re.escape(segment)}", 0
    if parameter["rest"]:
        return f"(?:/(?P<{parameter['name']}>.*))?", 2
    pattern = f"/(?P<{parameter['name']}>[^/]+)"
    return (f"(?:{pattern})?" if parameter["optional"] else pattern), 1


def _decode(value: str) -> str:
    """Percent-decode, but for an encoded slash: the server in front of the host leaves it encoded."""
    return "%2F".join(unquote(part) for part in re.split("%2[Ff]", value))
