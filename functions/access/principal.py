"""Reads who is calling from X-MS-CLIENT-PRINCIPAL, in which App Service passes on whom it has signed in.

The platform removes forged copies of the header only while its authentication is on, so that while it is off
nobody is believed (https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities).
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from functions.errors import NotAuthenticated

HEADER = "X-MS-CLIENT-PRINCIPAL"

_HEADER_CHARACTERS = 64 * 1024
_NAME_CHARACTERS = 200
_TENANT = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
_AUDIENCE = ("aud",)
_OBJECT_ID = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_NAME = ("name", "preferred_username")
_GROUPS = ("groups", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups")
_MORE_GROUPS = ("hasgroups", "_claim_names", "http://schemas.microsoft.com/claims/groups.link")
"""What stands in a token in place of groups, where there are too many of them.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference#groups-overage-claim
"""


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone whom the tenant vouches for.

    Attributes:
        object_id: The directory's id of the person or application.
        name: The name to show; chosen by people, so no proof of anything.
        roles: App roles, as the token names them.
        groups: Object ids of groups, lower case; empty where the token lists none.
        groups_known: False where the token leaves groups out because there are too many.
    """

    object_id: str
    name: str
    roles: frozenset[str]
    groups: frozenset[str] = frozenset()
    groups_known: bool = True


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a principal must come from.

    Attributes:
        enabled: Whether the platform authenticates callers.
        tenant_id: The only tenant believed, lower case.
        audience: The app registration that tokens must be for, lower case.
    """

    enabled: bool
    tenant_id: str
    audience: str


def read_principal(header: str | None, sign_in: SignIn) -> Principal:
    """Return who the header says is calling.

    Raises:
        NotAuthenticated: Sign-in is off, nobody is signed in, or the token is not this tenant's for this app.
    """
    if not sign_in.enabled:
        raise NotAuthenticated(
            "Sign-in is off, so that nobody can be believed.",
            next_step="Turn on App Service authentication for the app.",
        )
    if not header:
        raise NotAuthenticated("Nobody is signed in.", next_step="Sign in at /.auth/login/aad.")
    principal = _decode(header)
    claims = _claims(principal)
    _hold_to(claims, _TENANT, sign_in.tenant_id, "another tenant")
    _hold_to(claims, _AUDIENCE, sign_in.audience, "another application")
    object_ids = _values(claims, _OBJECT_ID)
    if len(object_ids) != 1:
        raise _unreadable()
    role_type = principal.get("role_typ")
    return Principal(
        object_id=object_ids.pop(),
        name=next((value for kind in _NAME for value in claims.get(kind, ())), "")[:_NAME_CHARACTERS],
        roles=frozenset(_values(claims, (*_ROLES, role_type) if isinstance(role_type, str) else _ROLES)),
        groups=frozenset(group.lower() for group in _values(claims, _GROUPS)),
        # Whatever such a claim says: a list beside it may be a part of all.
        groups_known=not any(kind.lower() in _MORE_GROUPS for kind in claims),
    )


def _decode(header: str) -> Mapping[str, Any]:
    try:
        if len(header) > _HEADER_CHARACTERS:
            raise _unreadable()
        principal = orjson.loads(base64.b64decode(header, validate=True))
    except ValueError as error:  # binascii's, orjson's and UnicodeEncodeError are all ValueErrors
        raise _unreadable() from error
    if not isinstance(principal, dict):
        raise _unreadable()
    return principal


def _claims(principal: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """Return the values of each claim type."""
    claims: dict[str, list[str]] = {}
    listed = principal.get("claims")
    for claim in listed if isinstance(listed, list) else ():
        if not isinstance(claim, dict):
            raise _unreadable()
        kind, value = claim.get("typ"), claim.get("val")
        if not isinstance(kind, str) or not isinstance(value, str):
            raise _unreadable()
        claims.setdefault(kind, []).append(value)
    return claims


def _values(claims: Mapping[str, list[str]], kinds: tuple[str, ...]) -> set[str]:
    return {value for kind in kinds for value in claims.get(kind, ())}


def _hold_to(claims: Mapping[str, list[str]], kinds: tuple[str, ...], expected: str, otherwise: str) -> None:
    if {value.lower() for value in _values(claims, kinds)} != {expected}:
        raise NotAuthenticated(
            f"The sign-in is of {otherwise}.",
            next_step="Sign in at /.auth/login/aad with an account of this tenant.",
        )


def _unreadable() -> NotAuthenticated:
    return NotAuthenticated("The sign-in can't be read.", next_step="Sign in again at /.auth/login/aad.")
