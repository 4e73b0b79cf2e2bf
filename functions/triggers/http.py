"""The one way in for HTTP: who is calling, how often, may they, serve, write it down, and only then answer.

The functions are anonymous to the Functions host, whose keys are shared secrets that name nobody: App
Service authentication stands before them, and what it says of the caller is checked here on every request.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import azure.functions as func
import orjson

from functions.access.entries import UNLIMITED, AccessRules, scope_of
from functions.access.ledger import Access, Outcome, fingerprint
from functions.access.limits import NOBODY, Kind
from functions.access.principal import HEADER, Principal, read_principal
from functions.access.roles import Role, require
from functions.access.scope import EVERYTHING, Scope
from functions.errors import Forbidden, InvalidRequest, NotAuthenticated, RequestError, TooManyRequests
from functions.problems import MEDIA_TYPE, problem
from functions.storage.documents import encode
from functions.triggers.routes import ROUTES

if TYPE_CHECKING:
    from functions.wiring import Services

_BODY_BYTES = 256 * 1024
_PLAIN = re.compile(r"[0-9A-Za-z_-]{1,64}")

_KINDS: Mapping[bool, tuple[Kind, ...]] = {False: ("requests",), True: ("requests", "exports")}
"""What a request counts as, by whether it is rationed."""

_ANYONE = Principal(object_id="", name="", roles=frozenset())
"""Who calls an endpoint that is open."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers.

    Attributes:
        body: A JSON value, or bytes for a download.
        status: The HTTP status.
        headers: Further headers.
        on: What the ledger says it was about, beyond the route's parameters.
        message: What goes into the queue once the ledger has it, where the endpoint has one.
    """

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    on: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler may read of a request. All but the caller and the scope is hostile.

    Attributes:
        caller: Who asks.
        route: The route's parameters.
        query: The query's parameters.
        headers: The headers.
        body: What was sent.
        scope: How far the role that the endpoint needs reaches for the caller.
        rules: How far their other roles reach.
        noted: What the ledger says it was about however it ends; handlers add to it.
    """

    caller: Principal
    route: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    scope: Scope = EVERYTHING
    rules: AccessRules = UNLIMITED
    noted: dict[str, str] = field(default_factory=dict)

    def scope_as(self, role: Role) -> Scope:
        """Return how far another role reaches for the caller.

        Raises:
            Forbidden: They don't have it, or no entry lets them in.
        """
        require(self.caller, role)
        return scope_of(self.caller, role, self.rules)

    def json(self) -> object:
        """Return the JSON body.

        A form on another site can post JSON text, but not with JSON's content type, so this is asked for.

        Raises:
            InvalidRequest: It is not JSON, or too long.
        """
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or len(self.body) > _BODY_BYTES:
            raise InvalidRequest(
                f"The body must be JSON, sent as application/json, of at most {_BODY_BYTES} bytes.",
                next_step="Correct the request and send it again.",
            )
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(
                "The body is not valid JSON.", next_step="Correct the request and send it again."
            ) from error


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What serves one route, which routes.py declares.

    Attributes:
        name: The route's.
        action: What the ledger calls it.
        role: The role it needs; None where it needs none.
        recorded: Whether the ledger holds every request, not only those denied.
        handle: Serves it; raises errors of the tree.
        query: The query parameters that it knows.
        rationed: Whether a request counts as an export too.
        signed_in: Whether it needs a sign-in where it needs no role; else it is open to anyone.
    """

    name: str
    action: str
    role: Role | None
    recorded: bool
    handle: "Callable[[Services, Request], Answer]"
    query: frozenset[str] = frozenset()
    rationed: bool = False
    signed_in: bool = False

    @property
    def open(self) -> bool:
        """Whether nobody is asked who they are."""
        return self.role is None and not self.signed_in

    @property
    def method(self) -> str:
        """The HTTP method."""
        return ROUTES[self.name].method

    @property
    def path(self) -> str:
        """The route's template."""
        return ROUTES[self.name].path


@dataclass(frozen=True, slots=True)
class Page:
    """What serves one route that is open to anyone and gives no data, so that it needs no services.

    It is there at once, and also when storage or the configuration fails.

    Attributes:
        name: The route's.
        handle: Serves it; raises errors of the tree.
        query: The query parameters that it knows.
        role: None: it needs none.
        signed_in: False: nobody is asked who they are.
        open: True likewise.
        recorded: False: the ledger holds no request.
    """

    name: str
    handle: Callable[[Request], Answer]
    query: frozenset[str] = frozenset()
    role: ClassVar[None] = None
    signed_in: ClassVar[bool] = False
    open: ClassVar[bool] = True
    recorded: ClassVar[bool] = False

    @property
    def method(self) -> str:
        """The HTTP method."""
        return ROUTES[self.name].method

    @property
    def path(self) -> str:
        """The route's template."""
        return ROUTES[self.name].path


def serve(
    endpoint: Endpoint | Page, request: func.HttpRequest, provide: "Callable[[], Services]"
) -> tuple[func.HttpResponse, str | None]:
    """Serve one request; return the response and the message for the queue, if any. Never raises."""
    if isinstance(endpoint, Page):
        return _serve_page(endpoint, request), None
    correlation_id = str(uuid4())
    caller: Principal | None = None
    outcome: Outcome = "served"
    reason, noted, first = "", dict[str, str](), True
    try:
        services = provide()
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem document
        return _respond(_refusal(error, correlation_id), correlation_id), None
    try:
        if not endpoint.open:
            caller = _caller(request, services)
            # Counted before they are judged: denials are written down, too.
            services.limits.admit(caller.object_id, *_KINDS[endpoint.rationed])
        answer = endpoint.handle(services, _read(endpoint, request, caller, services, noted))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem document
        answer, outcome = _refusal(error, correlation_id), _outcome(error)
        reason = f"{answer.body['title']}: {answer.body['detail']}"
        # A flood must not fill the ledger.
        first = not isinstance(error, TooManyRequests) or error.first
    if (endpoint.recorded or outcome == "denied") and first:
        on = {
            **{name: _printable(value) for name, value in request.route_params.items()},
            **noted,
            **answer.on,
        }
        access = Access(endpoint.action, caller, on, outcome, reason, correlation_id)
        try:
            services.ledger.record(access)
        except Exception as error:  # noqa: BLE001 - what is not written down is not served
            answer = _refusal(error, correlation_id)
    return _respond(answer, correlation_id), answer.message


def _serve_page(page: Page, request: func.HttpRequest) -> func.HttpResponse:
    correlation_id = str(uuid4())
    try:
        answer = page.handle(_asked(page, request))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a problem document
        answer = _refusal(error, correlation_id)
    return _respond(answer, correlation_id)


def _caller(request: func.HttpRequest, services: "Services") -> Principal:
    """Return who is calling; all whom nobody can name are counted together."""
    try:
        return read_principal(request.headers.get(HEADER), services.sign_in)
    except NotAuthenticated:
        services.limits.admit(NOBODY, "requests")
        raise


def _read(
    endpoint: Endpoint,
    request: func.HttpRequest,
    caller: Principal | None,
    services: "Services",
    noted: dict[str, str],
) -> Request:
    scope, rules = EVERYTHING, services.configuration.access
    if endpoint.role is not None and caller is not None:
        require(caller, endpoint.role)
        scope = scope_of(caller, endpoint.role, rules)
    asked = _asked(endpoint, request)
    return replace(asked, caller=caller or _ANYONE, scope=scope, rules=rules, noted=noted)


def _asked(endpoint: Endpoint | Page, request: func.HttpRequest) -> Request:
    """Return what anyone asks, with a query that is known."""
    if request.params.keys() - endpoint.query:
        known = ", ".join(sorted(endpoint.query)) or "none"
        raise InvalidRequest(
            f"The query has a parameter that is not known here; known: {known}.",
            next_step="Correct the request and send it again.",
        )
    return Request(_ANYONE, request.route_params, request.params, request.headers, request.get_body())


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, NotAuthenticated | Forbidden | TooManyRequests):
        return "denied"
    return "refused" if isinstance(error, RequestError) else "failed"


def _refusal(error: Exception, correlation_id: str) -> Answer:
    told = problem(error, correlation_id)
    headers = {"Content-Type": MEDIA_TYPE}
    if told.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    return Answer(told.body, told.status, headers)


def _printable(value: str) -> str:
    """Return an id as it is, and anything else as its hash: the ledger is no place for foreign text."""
    return value if _PLAIN.fullmatch(value) else f"sha256:{fingerprint(value)}"


def _respond(answer: Answer, correlation_id: str) -> func.HttpResponse:
    body = answer.body if isinstance(answer.body, bytes) else encode(answer.body)
    headers = {"Content-Type": "application/json", **_HEADERS, **answer.headers}
    headers["X-Correlation-Id"] = correlation_id
    return func.HttpResponse(
        body, status_code=answer.status, headers=headers, mimetype=headers["Content-Type"]
    )
