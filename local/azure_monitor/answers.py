"""The bodies with which Azure Monitor answers: results, partial results and errors.

Shapes: https://learn.microsoft.com/azure/azure-monitor/logs/api/response-format and .../api/errors.
"""

import uuid
from collections.abc import Mapping

import orjson
from werkzeug import Response

from local.azure_monitor.engine import QueryError, Table

_CHALLENGE = {"WWW-Authenticate": "Bearer"}

_TOO_LARGE = "-2133196797"
_TOO_LARGE_NAME = "E_QUERY_RESULT_SET_TOO_LARGE"
"""The engine's code and name: https://learn.microsoft.com/kusto/concepts/result-truncation"""

_ERRORS = {
    400: ("BadArgumentError", "The request had some invalid properties"),
    401: ("AuthorizationRequiredError", "Valid authentication was not provided"),
    403: (
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
    ),
    404: ("PathNotFoundError", "The requested path does not exist"),
    429: ("ThrottledError", "There are too many concurrent requests for this user"),
    503: ("ServiceUnavailable", "The service is temporarily unavailable"),
    504: ("GatewayTimeout", "The gateway did not receive a response within the specified time period"),
}


def json_answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return Response(orjson.dumps(body), status, headers, content_type="application/json; charset=utf-8")


def result(table: Table, statistics: Mapping[str, object] | None = None) -> Response:
    """Return 200 with all rows, or those there are and an error inside; statistics where given."""
    body: dict[str, object] = {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": name, "type": kind} for name, kind in table.columns],
                "rows": table.rows,
            }
        ]
    }
    if table.problem is not None:
        body["error"] = {
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [
                {
                    "code": "EngineError",
                    "message": "Something went wrong processing your query on the server.",
                    "innererror": {
                        "message": table.problem,
                        "severity": 2,
                        "severityName": "Error",
                        **({"code": _TOO_LARGE} if _TOO_LARGE_NAME in table.problem else {}),
                    },
                }
            ],
        }
    if statistics is not None:
        body["statistics"] = statistics
    return json_answer(body)


def error(status: int, *, retry_after: int | None = None, inner: dict[str, object] | None = None) -> Response:
    """Return one of the service's errors."""
    code, message = _ERRORS[status]
    told: dict[str, object] = {"code": code, "message": message, "correlationId": str(uuid.uuid4())}
    if inner is not None:
        told["innererror"] = inner
    headers = dict(_CHALLENGE) if status == 401 else {}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return json_answer({"error": told}, status, headers)


def refusal(wrong: QueryError) -> Response:
    """Return 400 for a query that can't be run."""
    sentence = (
        "A recognition error occurred in the query."
        if wrong.kind == "SyntaxError"
        else "A semantic error occurred."
    )
    code = "SYN0002" if wrong.kind == "SyntaxError" else "SEM0100"
    inner = {"code": code, "message": wrong.detail}
    return error(400, inner={"code": wrong.kind, "message": sentence, "innererror": inner})
