"""The script of one run: what is asked, what the model calls, what backends answer, what it costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from agent_framework import FunctionTool
from opentelemetry import trace

from local.agents.people import Person
from local.agents.plan import Behaviour, Role, RunPlan

DATA_AS_OF = "tool.data_as_of"
"""The attribute in which a tool tells the age of its data."""

_LOOKUP_OUTCOMES: Mapping[Behaviour, tuple[bool, ...]] = {
    Behaviour.LOOKUP_SKIPPED: (),
    Behaviour.LOOKUP_FAILED: (False, False),
    Behaviour.LOOKUP_RETRIED: (False, True),
}
_BLOAT = 20
_CACHED_SHARE = 0.4


class BackendUnavailableError(Exception):
    """A tool's backend did not answer."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks for: one call of one tool."""

    tool: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model call; `cached` are part of `prompt`."""

    prompt: int
    cached: int
    completion: int


@dataclass(frozen=True, slots=True)
class Script:
    """One run from question to answer.

    Attributes:
        question: What the user asks.
        calls: The tool calls, one a model call; then the model answers.
        answer: The model's last word.
        tools: The tools on offer.
        request: Further attributes of the request.
    """

    question: str
    calls: tuple[ToolCall, ...]
    answer: str
    tools: tuple[FunctionTool, ...]
    request: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One planned run for one made-up person; `random` is the run's own."""

    plan: RunPlan
    person: Person
    random: Random

    def lookups(self, call: ToolCall) -> tuple[ToolCall, ...]:
        """The required look-up as often as the plan says: none, once, or again after a failure."""
        return (call,) * len(self._outcomes())

    def lookup_backend(self) -> Callable[[], None]:
        """A backend for the required look-up: raises where the plan says so, else dates its data if it can.

        Returns:
            Called inside the tool, so that the current span is the one that gets the attribute.
        """
        outcomes = iter(self._outcomes())

        def look_up() -> None:
            if not next(outcomes):
                raise BackendUnavailableError(f"no answer within 2 s for {self.person.email}")
            if self.plan.role.data_dated:
                as_of = datetime.now(UTC) - self._data_age()
                trace.get_current_span().set_attribute(DATA_AS_OF, as_of.strftime("%Y-%m-%dT%H:%M:%SZ"))

        return look_up

    def bloated(self, text: str) -> str:
        """Text for the prompt, many times over where the plan says so."""
        return "\n".join([text] * _BLOAT) if self.plan.behaviour is Behaviour.PROMPT_BLOATED else text

    def usages(self, *, prompt: int, completion: int, model_calls: int) -> tuple[Usage, ...]:
        """Split what a typical run costs over its model calls, within 25% either way.

        Args:
            prompt: Prompt tokens of a typical run.
            completion: Completion tokens of a typical run.
            model_calls: How many; each sees a longer history than the one before.
        """
        factor = self.random.uniform(0.75, 1.25)
        if self.plan.behaviour is Behaviour.PROMPT_BLOATED:
            prompt *= _BLOAT
        steps = model_calls * (model_calls + 1) / 2
        prompts = [round(prompt * factor * (index + 1) / steps) for index in range(model_calls)]
        return tuple(
            Usage(
                tokens,
                round(tokens * _CACHED_SHARE) if index else 0,
                round(completion * factor / model_calls),
            )
            for index, tokens in enumerate(prompts)
        )

    def _outcomes(self) -> tuple[bool, ...]:
        return _LOOKUP_OUTCOMES.get(self.plan.behaviour, (True,))

    def _data_age(self) -> timedelta:
        if self.plan.behaviour is Behaviour.DATA_STALE:
            return timedelta(hours=self.random.uniform(7, 30))
        return timedelta(minutes=self.random.uniform(1, 20))


@dataclass(frozen=True, slots=True)
class SampleAgent:
    """One agent of the fleet.

    Attributes:
        role: Its name, its duties.
        description: What the framework reports as `gen_ai.agent.description`.
        instructions: The system prompt.
        model: The model asked for.
        answering_model: The model version that answers.
        prompt_version: Version of the instructions.
        prompt_tokens: Of a typical run, all model calls together.
        completion_tokens: Likewise.
        write: Writes the script of one run.
    """

    role: Role
    description: str
    instructions: str
    model: str
    answering_model: str
    prompt_version: str
    prompt_tokens: int
    completion_tokens: int
    write: Callable[[Assignment], Script]
