"""Which app settings switch tracing and the recording of content on and off, framework by framework.

Sources, read in November 2026:

- Microsoft Agent Framework: `agent_framework/observability.py` of agent-framework-core 1.23.0 (true, 1, yes
  and on count as on; instrumentation is on and sensitive data off unless set), and
  https://learn.microsoft.com/agent-framework/agents/observability
- azure-ai-projects: https://learn.microsoft.com/python/api/azure-ai-projects, AIProjectInstrumentor: nothing
  is traced without AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING; and, content being off by default,
  https://learn.microsoft.com/javascript/api/@azure/ai-projects/genaitracingoptions
- azure-ai-inference: https://learn.microsoft.com/azure/ai-foundry/how-to/develop/trace-application
- langchain-azure-ai reads the same setting; what holds without it is not documented, so that it has to be
  set: https://reference.langchain.com/python/langchain-azure-ai (enable_auto_tracing)
- opentelemetry-util-genai, under opentelemetry-instrumentation-openai-v2: NO_CONTENT (the default),
  SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT: the package opentelemetry-util-genai; true before that
- Semantic Kernel: https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability
- OpenInference: https://arize-ai.github.io/openinference/spec/configuration/trace-config.html (all is
  recorded unless hidden; the narrower HIDE_ settings leave input.value and output.value in place)
- OpenLLMetry: https://traceloop.com/docs/openllmetry/privacy/traces (all is recorded unless it is false)
- OpenTelemetry: https://opentelemetry.io/docs/languages/sdk-configuration/general/ (only "true" disables it)
- azure-core: `azure/core/settings.py` (AZURE_TRACING_ENABLED)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from functions.release.gate_facts import AppSettings

_YES = frozenset({"true", "1", "yes", "on"})
_NO = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that turns something on or off.

    Attributes:
        setting: Its name.
        on: The values that turn it on, lower case.
        off: The values that turn it off, lower case.
        unset: What holds without it; None where that differs between versions.
    """

    setting: str
    on: frozenset[str]
    off: frozenset[str]
    unset: bool | None

    def state(self, settings: AppSettings) -> bool | None:
        """Return whether it is on; None where that can't be told."""
        if self.setting in settings.references:
            return None
        given = settings.values.get(self.setting, "").strip().lower()
        if not given:
            return self.unset
        if given in self.on:
            return True
        return False if given in self.off else None


@dataclass(frozen=True, slots=True)
class Framework:
    """What a framework's telemetry depends on.

    Attributes:
        tracing: The switches that must all be on for spans to be sent.
        content: The switches each of which records some content when it is on.
    """

    tracing: tuple[Switch, ...]
    content: tuple[Switch, ...]


_CAPTURE = Switch(
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    frozenset({"true", "1", "span_only", "event_only", "span_and_event"}),
    frozenset({"false", "0", "no_content"}),
    unset=False,
)
_AZURE_CONTENT = "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED"
_AZURE_TRACING = Switch("AZURE_TRACING_ENABLED", _YES, _NO, unset=True)
_KERNEL = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"

FRAMEWORKS: Mapping[str, Framework] = {
    "agent_framework": Framework(
        (Switch("ENABLE_INSTRUMENTATION", _YES, _NO, unset=True),),
        (Switch("ENABLE_SENSITIVE_DATA", _YES, _NO, unset=False),),
    ),
    "azure_ai_projects": Framework(
        (
            Switch("AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING", frozenset({"true"}), _NO, unset=False),
            _AZURE_TRACING,
        ),
        (_CAPTURE,),
    ),
    "azure_ai_inference": Framework((_AZURE_TRACING,), (Switch(_AZURE_CONTENT, _YES, _NO, unset=False),)),
    "langchain_azure": Framework((), (Switch(_AZURE_CONTENT, _YES, _NO, unset=None),)),
    "openai": Framework((), (_CAPTURE,)),
    "semantic_kernel": Framework(
        (Switch(_KERNEL, _YES, _NO, unset=False),),
        (Switch(f"{_KERNEL}_SENSITIVE", _YES, _NO, unset=False),),
    ),
    "openinference": Framework(
        (),
        (
            Switch("OPENINFERENCE_HIDE_INPUTS", on=_NO, off=_YES, unset=True),
            Switch("OPENINFERENCE_HIDE_OUTPUTS", on=_NO, off=_YES, unset=True),
        ),
    ),
    "traceloop": Framework((), (Switch("TRACELOOP_TRACE_CONTENT", _YES, _NO, unset=True),)),
}
"""By the names that release.yaml uses."""

EVERYWHERE = (
    # The specification: any other value than "true" leaves the SDK on.
    Switch("OTEL_SDK_DISABLED", on=_NO, off=frozenset({"true"}), unset=True),
    Switch("OTEL_TRACES_EXPORTER", on=frozenset(), off=frozenset({"none"}), unset=True),
)
"""What turns tracing off whatever the framework; here a value that is not known leaves it on."""
