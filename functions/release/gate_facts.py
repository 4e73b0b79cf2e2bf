"""What the release gate knows about an agents' app: its settings, its resources, its last hour's traces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.traces.agents import Attributes


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that could not be read. It is never taken for a good one.

    Attributes:
        reason: Why, as a sentence free of secrets.
        next_step: What a person does about it, as a sentence.
    """

    reason: str
    next_step: str


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The settings of the agents' app.

    Attributes:
        values: By name, those whose value can be read; out of repr, since some are secrets.
        references: The names of those whose value lies elsewhere: in Key Vault, or a secret of the container.
    """

    values: Mapping[str, str] = field(repr=False)
    references: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Component:
    """An Application Insights component, as `az monitor app-insights component show` tells of it.

    Attributes:
        resource_id: Its id.
        workspace_id: The resource id of the workspace it is linked to; None for a classic component.
        instrumentation_key: What connection strings name it by.
        sampling_percentage: How much of what arrives is kept, above 0 to 100.
    """

    resource_id: str
    workspace_id: str | None
    instrumentation_key: str = field(repr=False)
    sampling_percentage: float


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a workspace keeps rows for queries, in days.

    Attributes:
        workspace_days: What holds where a table has no number of its own.
        table_days: The table's own, by its name.
    """

    workspace_days: int
    table_days: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DiagnosticSetting:
    """One diagnostic setting of a resource.

    Attributes:
        workspace_id: The resource id of the workspace it sends to; None where it sends elsewhere.
        categories: The log categories and category groups that are enabled.
    """

    workspace_id: str | None
    categories: frozenset[str]


@dataclass(frozen=True, slots=True)
class LastHour:
    """What the traces of the last hour say.

    Attributes:
        runs: How many runs arrived of the agents and the release that are asked about.
        without: In how many of them an attribute is empty, by its name.
        with_content: How many rows of theirs hold content: prompts, answers, arguments or results.
        sampled: How many of them stand for others that were left out.
        place: What was asked, lower case: a workspace's customer id or a component's resource id.
    """

    runs: int
    without: Mapping[str, int]
    with_content: int
    sampled: int
    place: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules judge; each part is what was read, or why it could not be.

    Attributes:
        settings: The app's.
        component: Where the app sends.
        customer_id: The id by which the component's workspace is queried, lower case.
        retention: Of that workspace.
        diagnostics: The diagnostic settings of each resource that must have some, by its id in lower case.
        last_hour: The traces.
        attributes: Which names carry what, of agents.yaml.
    """

    settings: AppSettings | Unknown
    component: Component | Unknown
    customer_id: str | Unknown
    retention: Retention | Unknown
    diagnostics: Mapping[str, tuple[DiagnosticSetting, ...] | Unknown]
    last_hour: LastHour | Unknown
    attributes: Attributes
