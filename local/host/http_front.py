"""The host's HTTP side as a WSGI app: the routes of the app, and the calls to the host itself.

`GET /admin/host/status` says that the host is up. `POST /admin/functions/NAME` runs a timer or queue
function now; a queue function's message is the body's `input`. Unlike on Azure the answer comes after the
run: 202 when it succeeded, 500 when it failed.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.wrappers import Request, Response

from local.host.execution import Execution
from local.host.functions_runtime import Function
from local.host.invocations import Call, Failed, HttpCall, QueueCall, Succeeded, TimerCall
from local.host.routes import Match, Routes

_LOG = logging.getLogger("local.host")
_STATUS = "/admin/host/status"
_FUNCTIONS = "/admin/functions/"


class HttpFront:
    """Answers requests by running functions.

    Args:
        execution: Runs them.
        route_prefix: `routePrefix` of host.json.

    Raises:
        ValueError: A route can't be read.
    """

    def __init__(self, execution: Execution, route_prefix: str) -> None:
        self._execution = execution
        self._routes = Routes(execution.functions.values(), route_prefix)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        target: str = environ["REQUEST_URI"]
        path = target.partition("?")[0]
        if path == _STATUS:
            answer = _json(200, {"state": "Running"})
        elif path.startswith(_FUNCTIONS) and request.method == "POST":
            answer = self._run_now(path.removeprefix(_FUNCTIONS), request)
        else:
            match = self._routes.find(request.method, path)
            answer = Response(status=404) if match is None else self._serve(match, request, target)
        return answer(environ, start_response)

    def _serve(self, match: Match, request: Request, target: str) -> Response:
        if match.function.trigger.settings["authLevel"].upper() != "ANONYMOUS":
            _LOG.warning("%s wants a function key, and the local host has none", match.function.name)
            return Response(status=401)
        call = HttpCall(
            method=request.method,
            url=f"{request.scheme}://{request.host}{target}",
            headers={name.lower(): value for name, value in request.headers.items()},
            query={name: ",".join(values) for name, values in request.args.lists()},
            route=match.parameters,
            body=request.get_data(),
        )
        outcome = self._execution.run(match.function, call)
        if isinstance(outcome, Failed):
            return Response(status=500)
        if outcome.answer is None:
            return Response(status=204)
        return Response(
            outcome.answer.body, status=outcome.answer.status, headers=list(outcome.answer.headers)
        )

    def _run_now(self, name: str, request: Request) -> Response:
        function = self._execution.functions.get(name)
        if function is None:
            return _json(
                404, {"error": f"No function has that name. There are: {sorted(self._execution.functions)}."}
            )
        call = _make_call(function, request)
        if call is None:
            return _json(400, {"error": f"{name} is an HTTP function: request its route."})
        outcome = self._execution.run(function, call)
        if isinstance(outcome, Succeeded):
            return Response(status=202)
        return _json(500, {"error": f"{name} failed with {outcome.error_type}; the host's log has the rest."})


def _make_call(function: Function, request: Request) -> Call | None:
    match function.trigger.type:
        case "timerTrigger":
            return TimerCall()
        case "queueTrigger":
            now = datetime.now(UTC)
            body = str(request.get_json()["input"]).encode()
            expires = now + timedelta(days=7)
            return QueueCall(str(uuid4()), body, 1, now, expires, now, pop_receipt="by hand")
        case _:
            return None


def _json(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype="application/json")
