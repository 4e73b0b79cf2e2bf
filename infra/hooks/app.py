"""Speaks to the deployed app over HTTPS; SSL_CERT_FILE says whose certificates are trusted."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app answered.

    Attributes:
        status: Its HTTP status; 0 where nobody answered.
        body: The bytes.
    """

    status: int
    body: bytes

    def json(self) -> Any:
        """Read the body; {} where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def told(self) -> str:
        """Say it in a line: the status, and what a problem document says of itself."""
        problem = self.json()
        detail = problem.get("detail", "") if isinstance(problem, dict) else ""
        return f"{self.status or 'no answer'} {detail}".strip()


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nobody: a token must not go elsewhere, and being led to a sign-in page is a refusal."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class App:
    """The app at `url`; `token` is whom it is asked as."""

    url: str
    token: str = ""

    def ask(
        self, path: str, *, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """GET, or POST a body."""
        request = urllib.request.Request(
            f"{self.url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
                **({} if body is None else {"Content-Type": "application/json"}),
                **(headers or {}),
            },
        )
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=_SECONDS) as answer:
                return Reply(answer.status, answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Reply(refusal.code, refusal.read())
        except OSError:
            return Reply(0, b"")


def forged_principal(tenant_id: str, client_id: str) -> str:
    """Return a header as good as the platform's own: the right tenant and app, and every role."""
    roles = (
        "Alerts.Read Alerts.Manage Traces.Read Evidence.Read Evidence.ReadContent Evidence.Approve"
        " Costs.Read Audit.Read"
    )
    claims = {
        "tid": tenant_id,
        "http://schemas.microsoft.com/identity/claims/tenantid": tenant_id,
        "aud": client_id,
        "iss": f"https://login.microsoftonline.com/{tenant_id}/v2.0",
        "oid": "00000000-0000-0000-0000-00000000f0f0",
        "name": "forged",
    }
    principal = {
        "auth_typ": "aad",
        "claims": [{"typ": kind, "val": value} for kind, value in claims.items()]
        + [{"typ": "roles", "val": role} for role in roles.split()],
        "name_typ": "name",
        "role_typ": "roles",
    }
    return base64.b64encode(json.dumps(principal).encode()).decode()
