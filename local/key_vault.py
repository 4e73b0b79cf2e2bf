"""The keys of an Azure Key Vault on a laptop, as far as signing needs them: get a key, and sign a digest.

(https://learn.microsoft.com/rest/api/keyvault/keys) The private key lies in a file. The real SDK asks first
without a token, and then with one for the resource that the challenge names.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from werkzeug.wrappers import Request, Response

from functions.signing.signatures import raw_from_der
from local.roles import SIGNING, Roles

_SIGN = "sign"
_DIGEST_BYTES = 32
_COORDINATE_BYTES = 32


class KeyVault:
    """WSGI app: `GET /keys/{name}[/{version}]` and `POST /keys/{name}/{version}/sign`, over TLS.

    Args:
        key: The private key, on P-256.
        name: What it is called in the vault.
        tenant_id: Whose tokens are asked for.
        token_ok: Tells from a bearer token and an audience whether to answer.
        roles: What whoever has a token may do; None: everything.

    Attributes:
        version: The key's latest version.
        asked: Method and path of each request that was answered, oldest first.
    """

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey,
        *,
        name: str,
        tenant_id: str,
        token_ok: Callable[[str, str], bool],
        roles: Roles | None = None,
    ) -> None:
        self._versions: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._name = name
        self._tenant_id = tenant_id
        self._token_ok = token_ok
        self._roles = roles or Roles()
        self.asked: list[str] = []
        self.rotate(key)

    def rotate(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Make `key` the latest version; earlier ones stay."""
        self.version = secrets.token_hex(16)
        self._versions[self.version] = key

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        # The SDK gives its token only to a host below the resource: on Azure NAME.vault.azure.net lies below
        # vault.azure.net, and 127.0.0.1 lies below 0.0.1.
        resource = f"https://{request.host.partition('.')[2]}"
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not self._token_ok(token, resource):
            answer = _refuse(401, "Unauthorized", "The request lacks a token for the vault.")
            authority = f"https://login.microsoftonline.com/{self._tenant_id}"
            answer.headers["WWW-Authenticate"] = f'Bearer authorization="{authority}", resource="{resource}"'
            return answer
        if "api-version" not in request.args:
            return _refuse(400, "BadParameter", "The query needs an api-version.")
        self.asked.append(f"{request.method} {request.path}")
        if not self._roles.has(SIGNING):
            return _forbid(request)
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["keys", name, *version] if name == self._name:
                return self._show(request, version[0] if version else self.version)
            case "POST", ["keys", name, version, operation] if (name, operation) == (self._name, _SIGN):
                return self._sign(request, version)
            case _:
                return _no_key()

    def _show(self, request: Request, version: str) -> Response:
        if version not in self._versions:
            return _no_key()
        numbers = self._versions[version].public_key().public_numbers()
        key = {
            "kid": self._id(request, version),
            "kty": "EC",
            "crv": "P-256",
            "key_ops": ["sign", "verify"],
            "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES)),
            "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES)),
        }
        return _json(200, {"key": key, "attributes": {"enabled": True}})

    def _sign(self, request: Request, version: str) -> Response:
        if version not in self._versions:
            return _no_key()
        try:
            asked = orjson.loads(request.get_data())
            digest = base64.urlsafe_b64decode(asked["value"] + "==")
            algorithm = asked["alg"]
        except (ValueError, KeyError, TypeError, binascii.Error):
            return _refuse(400, "BadParameter", "The body needs alg and value.")
        if algorithm != "ES256" or len(digest) != _DIGEST_BYTES:
            return _refuse(400, "BadParameter", "The key signs digests of 32 bytes with ES256.")
        der = self._versions[version].sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        value = _base64url(raw_from_der(der))
        return _json(200, {"kid": self._id(request, version), "value": value})

    def _id(self, request: Request, version: str) -> str:
        return f"https://{request.host}/keys/{self._name}/{version}"


def keep_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the private key in `file` (PEM), made there at first."""
    if not file.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        file.touch(mode=0o600)
        file.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - nobody else writes the file
    return key


def _no_key() -> Response:
    return _refuse(404, "KeyNotFound", "A key with this name and version was not found in this vault.")


def _forbid(request: Request) -> Response:
    """Answer as a vault with Azure's own roles does: the inner code says that it was these that decided."""
    action = "sign/action" if request.path.endswith(_SIGN) else "read"
    again = "role assignments, deny assignments or role definitions were changed recently"
    lines = (
        "Caller is not authorized to perform action on resource.",
        f"If {again}, please observe propagation time.",
        f"Action: 'Microsoft.KeyVault/vaults/keys/{action}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: 'DeniedWithNoValidRBAC'",
    )
    error = {"code": "Forbidden", "message": "\r\n".join(lines), "innererror": {"code": "ForbiddenByRbac"}}
    return _json(403, {"error": error})


def _refuse(status: int, code: str, message: str) -> Response:
    return _json(status, {"error": {"code": code, "message": message}})


def _json(status: int, body: dict[str, object]) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype="application/json")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
