"""The managed identity endpoint of App Service: where the real azure-identity gets its tokens on a laptop."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_DNS, uuid5
from wsgiref.types import StartResponse, WSGIEnvironment

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.wrappers import Request, Response

API_VERSION = "2019-08-01"
# Managed identities' tokens are good for a day.
_LIFE = timedelta(hours=24)


class Tokens:
    """Access tokens of one managed identity, signed with a key that lives as long as the process.

    Azurite and the Azure Monitor stand-in look at issuer, audience and times, as `--oauth basic` does.

    Args:
        tenant_id: The issuing tenant.
        client_id: The user-assigned identity.
    """

    def __init__(self, tenant_id: str, client_id: str) -> None:
        self._tenant_id = tenant_id
        self.client_id = client_id
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def issue(self, resource: str) -> tuple[str, datetime]:
        """A token for `resource` (such as `https://storage.azure.com`) and when it expires."""
        now = datetime.now(UTC)
        expires = now + _LIFE
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{self._tenant_id}/",
            "iat": now,
            # Clocks of two processes on one machine still differ in rounding.
            "nbf": now - timedelta(minutes=5),
            "exp": expires,
            "appid": self.client_id,
            "oid": str(uuid5(NAMESPACE_DNS, self.client_id)),
            "tid": self._tenant_id,
            "idtyp": "app",
        }
        return jwt.encode(claims, self._key, algorithm="RS256"), expires

    def accepts(self, token: str, audience: str) -> bool:
        """Whether a bearer token is one of this identity for `audience` (slash or not), and still good."""
        accepted = [audience.rstrip("/"), audience.rstrip("/") + "/"]
        try:
            jwt.decode(token, self._key.public_key(), algorithms=["RS256"], audience=accepted)
        except jwt.InvalidTokenError:
            return False
        return True


class IdentityEndpoint:
    """WSGI app: `GET ?resource=…&api-version=2019-08-01&client_id=…` with the header X-IDENTITY-HEADER.

    Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference

    Attributes:
        header: The value that the app must send, IDENTITY_HEADER.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.header = secrets.token_hex(16)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one token request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("X-IDENTITY-HEADER", ""), self.header):
            return _refuse(401, "The header X-IDENTITY-HEADER is missing or wrong.")
        if request.args.get("api-version") != API_VERSION or not request.args.get("resource"):
            return _refuse(400, f"The query needs a resource and api-version={API_VERSION}.")
        if request.args.get("client_id") != self._tokens.client_id:
            return _refuse(400, "No such user-assigned identity; the app names it in AZURE_CLIENT_ID.")
        token, expires = self._tokens.issue(request.args["resource"])
        return _json(
            200,
            {
                "access_token": token,
                "client_id": self._tokens.client_id,
                "expires_on": str(int(expires.timestamp())),
                "not_before": str(int(datetime.now(UTC).timestamp())),
                "resource": request.args["resource"],
                "token_type": "Bearer",
            },
        )


def _refuse(status: int, message: str) -> Response:
    return _json(status, {"statusCode": status, "message": message})


def _json(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype="application/json")
