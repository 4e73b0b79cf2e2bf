"""Decides what each run of the fleet does and which runs misbehave, before any agent starts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

SMALLEST_MISBEHAVING_FLEET = 45
"""Below this there is no room for a burst with earlier runs to compare with and quiet runs after it."""

_BURST = 3
_END = 6  # of the last runs only one misbehaves, so that the story ends with one alert that is still open
_RETRIES = 3
_TURNS_PER_CONVERSATION = 2


class Behaviour(StrEnum):
    """How a run treats its required look-up, its data and its prompt."""

    AS_INTENDED = "as_intended"
    LOOKUP_RETRIED = "lookup_retried"
    """The look-up fails once, then succeeds: untidy, but not a skipped look-up."""
    DATA_STALE = "data_stale"
    LOOKUP_SKIPPED = "lookup_skipped"
    LOOKUP_FAILED = "lookup_failed"
    PROMPT_BLOATED = "prompt_bloated"


PLANTED_AS: Mapping[Behaviour, str] = {
    Behaviour.DATA_STALE: "stale_tool_data",
    Behaviour.LOOKUP_SKIPPED: "skipped_lookup",
    Behaviour.LOOKUP_FAILED: "skipped_lookup",
    Behaviour.PROMPT_BLOATED: "cost_spike",
}
"""The check that has to find a run which behaves so."""


@dataclass(frozen=True, slots=True)
class Role:
    """What the plan has to know about an agent.

    Attributes:
        agent: Its `gen_ai.agent.name`.
        duties: Intents that require the look-up.
        other_intents: Intents that do not; may be empty.
        data_dated: Whether the look-up tells the age of its data.
    """

    agent: str
    duties: tuple[str, ...]
    other_intents: tuple[str, ...]
    data_dated: bool


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One run, decided.

    Attributes:
        number: Position in the order of runs, from 0.
        role: The agent that runs.
        intent: What the user wants.
        conversation: Number of the conversation; neighbouring runs of an agent may share one.
        behaviour: How the run goes.
    """

    number: int
    role: Role
    intent: str
    conversation: int
    behaviour: Behaviour

    @property
    def on_duty(self) -> bool:
        """Whether this run has to make the look-up."""
        return self.intent in self.role.duties


def plan_runs(roles: Sequence[Role], runs: int, *, seed: int, healthy: bool) -> tuple[RunPlan, ...]:
    """Plan `runs` runs, the roles in turn; equal arguments give an equal plan.

    Unless healthy: a burst of bloated prompts (neighbouring runs of the first role without dated data, in its
    last third), two runs with stale data for each dated role, a skipped look-up for each role, a failed one.
    The second of the first dated role's runs with stale data is its last run of all.

    Raises:
        ValueError: Fewer runs than SMALLEST_MISBEHAVING_FLEET and not healthy.
    """
    if not healthy and runs < SMALLEST_MISBEHAVING_FLEET:
        raise ValueError(f"a fleet that misbehaves needs at least {SMALLEST_MISBEHAVING_FLEET} runs")
    random = Random(seed)  # noqa: S311 - repeatable on purpose, nothing depends on its secrecy
    plans = [_well_behaved(roles, number, random) for number in range(runs)]
    if not healthy:
        _plant_burst(plans, next(role for role in roles if not role.data_dated))
        dated = [role for role in roles if role.data_dated]
        _plant_last(plans, dated[0], Behaviour.DATA_STALE)
        for role in roles:
            if role.data_dated:
                _plant(plans, role, [Behaviour.DATA_STALE] * (1 if role == dated[0] else 2), random)
            _plant(plans, role, [Behaviour.LOOKUP_SKIPPED], random)
        _plant(plans, roles[0], [Behaviour.LOOKUP_FAILED], random)
    free = sum(1 for plan in plans[:-_END] if _plantable(plan, roles[0]))
    _plant(plans, roles[0], [Behaviour.LOOKUP_RETRIED] * min(_RETRIES, free), random)
    return tuple(plans)


def _well_behaved(roles: Sequence[Role], number: int, random: Random) -> RunPlan:
    role = roles[number % len(roles)]
    conversation = number // (len(roles) * _TURNS_PER_CONVERSATION) * len(roles) + number % len(roles)
    other = bool(role.other_intents) and random.random() < 0.15
    intent = random.choice(role.other_intents if other else role.duties)
    return RunPlan(number, role, intent, conversation, Behaviour.AS_INTENDED)


def _plant_burst(plans: list[RunPlan], role: Role) -> None:
    numbers = [plan.number for plan in plans if plan.role == role]
    first = -(-2 * len(numbers) // 3)
    for number in numbers[first : first + _BURST]:
        plans[number] = replace(plans[number], intent=role.duties[0], behaviour=Behaviour.PROMPT_BLOATED)


def _plant_last(plans: list[RunPlan], role: Role, behaviour: Behaviour) -> None:
    number = max(plan.number for plan in plans if plan.role == role)
    plans[number] = replace(plans[number], intent=role.duties[0], behaviour=behaviour)


def _plantable(plan: RunPlan, role: Role) -> bool:
    return plan.role == role and plan.on_duty and plan.behaviour is Behaviour.AS_INTENDED


def _plant(plans: list[RunPlan], role: Role, behaviours: Iterable[Behaviour], random: Random) -> None:
    """Give each behaviour to one of the role's runs that is on duty and still well behaved."""
    planted = list(behaviours)
    numbers = [plan.number for plan in plans[:-_END] if _plantable(plan, role)]
    for number, behaviour in zip(random.sample(numbers, len(planted)), planted, strict=True):
        plans[number] = replace(plans[number], behaviour=behaviour)
