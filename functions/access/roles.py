"""The app roles that the tenant assigns to people, and the one rule: no role, no answer."""

from enum import StrEnum

from functions.access.principal import Principal
from functions.errors import Forbidden


class Role(StrEnum):
    """The roles, by their values in the app registration."""

    ALERTS_MANAGE = "Alerts.Manage"
    ALERTS_READ = "Alerts.Read"
    AUDIT_READ = "Audit.Read"
    COSTS_READ = "Costs.Read"
    EVIDENCE_APPROVE = "Evidence.Approve"
    EVIDENCE_READ = "Evidence.Read"
    EVIDENCE_READ_CONTENT = "Evidence.ReadContent"
    TRACES_READ = "Traces.Read"


def require(principal: Principal, role: Role) -> None:
    """Let the principal pass if the tenant gave them the role.

    Raises:
        Forbidden: It did not, whether or not the thing asked for exists.
    """
    if role not in principal.roles:
        raise Forbidden(
            f"This needs the role {role}.",
            next_step="Ask the owner of the app registration to assign it to you.",
        )
