"""Who can sign in on a laptop: one made-up person for each thing that a role of the app permits."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import NAMESPACE_DNS, uuid5


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up member of the tenant.

    Attributes:
        name: The name to sign in with; letters.
        purpose: What the person does, for the sign-in page.
        roles: The app roles that the tenant assigned.
    """

    name: str
    purpose: str
    roles: tuple[str, ...]

    @property
    def object_id(self) -> str:
        """The directory's id of the person: always the same guid for the same name."""
        return str(uuid5(NAMESPACE_DNS, f"{self.name}.example"))

    @property
    def email(self) -> str:
        """The person's sign-in address."""
        return f"{self.name}@example.com"


PEOPLE: Mapping[str, Person] = MappingProxyType(
    {
        person.name: person
        for person in (
            Person("operator", "watches alerts and acknowledges them", ("Alerts.Read", "Alerts.Manage")),
            Person("auditor", "asks for evidence and reads traces", ("Evidence.Read", "Traces.Read")),
            Person(
                "reviewer",
                "approves exports of content, and reads them",
                ("Evidence.Approve", "Evidence.Read", "Evidence.ReadContent"),
            ),
            Person("officer", "reviews who asked for what", ("Audit.Read",)),
            Person("finops", "sees what agents cost", ("Costs.Read",)),
            Person(
                "engineer",
                "may do everything",
                (
                    "Alerts.Manage",
                    "Alerts.Read",
                    "Audit.Read",
                    "Costs.Read",
                    "Evidence.Approve",
                    "Evidence.Read",
                    "Evidence.ReadContent",
                    "Traces.Read",
                ),
            ),
            Person("visitor", "is in the tenant, without a role", ()),
        )
    }
)
