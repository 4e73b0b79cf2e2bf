"""Configurations, good and bad, and what the gate must say of each: written from what the rules promise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.configuration import SHIPPED, load_configuration
from functions.release.gate_facts import (
    AppSettings,
    Component,
    DiagnosticSetting,
    Facts,
    LastHour,
    Retention,
    Unknown,
)
from functions.release.gate_policy import Policy, RequiredDiagnostics

KEY = "00000000-0000-4000-8000-00000000000a"
ENDPOINT = "IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/"
GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourcegroups/agents/providers"
COMPONENT = f"{GROUP}/microsoft.insights/components/agents"
WORKSPACE = f"{GROUP}/microsoft.operationalinsights/workspaces/approved"
OTHER_WORKSPACE = f"{GROUP}/microsoft.operationalinsights/workspaces/other"
ACCOUNT = f"{GROUP}/microsoft.cognitiveservices/accounts/models"
CUSTOMER = "00000000-0000-4000-8000-0000000000cc"
NAMES = ("release", "prompt_version", "environment", "tenant")
TABLES = ("AppRequests", "AppDependencies", "AppExceptions", "AppTraces", "AppEvents", "AppGenAIContent")
BLOCKED = Unknown("Nobody is signed in.", "Run `az login`.")

SETTINGS: Mapping[str, str] = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};{ENDPOINT}",
    "OTEL_RESOURCE_ATTRIBUTES": (
        "service.version=2.4.0,prompt.version=v7,deployment.environment.name=production,tenant.id=acme"
    ),
    "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    "ENABLE_SENSITIVE_DATA": "false",
}
POLICY = Policy(
    environment="production",
    workspaces=frozenset({WORKSPACE}),
    frameworks=("agent_framework",),
    content_recording=False,
    settings_attributes=NAMES,
    trace_attributes=NAMES,
    samplers=(
        "always_on",
        "parentbased_always_on",
        "always_off",
        "parentbased_always_off",
        "traceidratio",
        "parentbased_traceidratio",
        "microsoft.fixed_percentage",
        "microsoft.rate_limited",
    ),
    minimum_ratio=1.0,
    retention_days=90,
    diagnostics=(RequiredDiagnostics(ACCOUNT, ("Audit",)),),
    minimum_runs=3,
)
HOUR = LastHour(runs=3, without=dict.fromkeys(NAMES, 0), with_content=0, sampled=0, place=COMPONENT)
AUDITED = DiagnosticSetting(WORKSPACE, frozenset({"Audit"}))
GOOD = Facts(
    settings=AppSettings(SETTINGS),
    component=Component(COMPONENT, WORKSPACE, KEY, 100.0),
    customer_id=CUSTOMER,
    retention=Retention(90, {}),
    diagnostics={ACCOUNT: (AUDITED,)},
    last_hour=HOUR,
    attributes=load_configuration(SHIPPED).agents.attributes,
)
TRACES = (
    "traces_arrive",
    *(f"trace_attribute/{name}" for name in NAMES),
    "content_in_traces",
    "sampling_in_traces",
)
OF_RUNS = TRACES[1:]
OF_SETTINGS = (
    "connection_string",
    "tracing_on",
    "content_recording",
    *(f"resource_attribute/{name}" for name in NAMES),
    "sampling",
)


@dataclass(frozen=True)
class Case:
    """One configuration.

    Attributes:
        name: What is the matter with it.
        facts: What was read.
        policy: What must hold.
        fails: The verdicts that must be failures, as rule or rule/subject.
        open: Those that must be not evaluable; every other one must pass.
        release: The release that goes out.
        says: Words that the reason of one of them must hold.
    """

    name: str
    facts: Facts = GOOD
    policy: Policy = POLICY
    fails: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    release: str | None = None
    says: str = ""


def with_settings(*taken: str, references: tuple[str, ...] = (), **given: str) -> Facts:
    kept = {name: value for name, value in SETTINGS.items() if name not in {*taken, *references}}
    return replace(GOOD, settings=AppSettings(kept | given, frozenset(references)))


def with_hour(**changed: Any) -> Facts:
    return replace(GOOD, last_hour=replace(HOUR, **changed))


def with_component(**changed: Any) -> Facts:
    assert isinstance(GOOD.component, Component)
    return replace(GOOD, component=replace(GOOD.component, **changed))


def with_policy(**changed: Any) -> Policy:
    return replace(POLICY, **changed)


def for_framework(name: str, *, recorded: bool, **given: str) -> tuple[Facts, Policy]:
    return with_settings("ENABLE_SENSITIVE_DATA", **given), with_policy(
        frameworks=(name,), content_recording=recorded
    )


CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
SAMPLER, ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
AZURE_CONTENT = "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED"
PROJECTS = "AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING"
KERNEL = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"
HIDDEN = {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}
RATIO = with_policy(minimum_ratio=0.5)
RECORDED = with_policy(content_recording=True)

CONFIGURATIONS = (
    Case("all is well"),
    Case("the release is the one that goes out", release="2.4.0"),
    Case("another release goes out", release="2.5.0", fails=("resource_attribute/release",)),
    # Where the app sends
    Case("no connection string", with_settings(CONNECTION), fails=("connection_string",), says="is missing"),
    Case("a blank one", with_settings(**{CONNECTION: "  "}), fails=("connection_string",)),
    Case(
        "one without a key",
        with_settings(**{CONNECTION: ENDPOINT}),
        fails=("connection_string",),
        says="has no InstrumentationKey",
    ),
    Case(
        "one whose key is cut",
        with_settings(**{CONNECTION: f"InstrumentationKey={KEY[:-1]};{ENDPOINT}"}),
        fails=("connection_string",),
    ),
    Case(
        "one without an endpoint",
        with_settings(**{CONNECTION: f"InstrumentationKey={KEY}"}),
        fails=("connection_string",),
    ),
    Case(
        "one whose endpoint is not encrypted",
        with_settings(**{CONNECTION: f"InstrumentationKey={KEY};IngestionEndpoint=http://collector"}),
        fails=("connection_string",),
    ),
    Case(
        "one in another spelling and order",
        with_settings(**{CONNECTION: f"{ENDPOINT} ; instrumentationkey={KEY.upper()};Note=a=b;"}),
    ),
    Case(
        "one of another component",
        with_component(instrumentation_key=CUSTOMER),
        fails=("connection_string",),
    ),
    Case("a component whose key is in capitals", with_component(instrumentation_key=KEY.upper())),
    Case("one that Key Vault holds", with_settings(references=(CONNECTION,))),
    # Tracing
    Case("the SDK is off", with_settings(OTEL_SDK_DISABLED="TRUE"), fails=("tracing_on",)),
    Case("a word that does not disable the SDK", with_settings(OTEL_SDK_DISABLED="1")),
    Case("nothing exports", with_settings(OTEL_TRACES_EXPORTER="none"), fails=("tracing_on",)),
    Case("an exporter is named", with_settings(OTEL_TRACES_EXPORTER="otlp")),
    Case("the framework is off", with_settings(ENABLE_INSTRUMENTATION="false"), fails=("tracing_on",)),
    Case("it is on in so many words", with_settings(ENABLE_INSTRUMENTATION="yes")),
    Case(
        "nobody knows what was meant", with_settings(ENABLE_INSTRUMENTATION="perhaps"), open=("tracing_on",)
    ),
    Case(
        "a secret decides whether the SDK is on",
        with_settings(references=("OTEL_SDK_DISABLED",)),
        open=("tracing_on",),
    ),
    Case(
        "a framework that is off unless it is switched on",
        *for_framework("azure_ai_projects", recorded=False),
        fails=("tracing_on",),
    ),
    Case("it is switched on", *for_framework("azure_ai_projects", recorded=False, **{PROJECTS: "true"})),
    Case(
        "the Azure SDK's tracing is off",
        *for_framework(
            "azure_ai_projects", recorded=False, **{PROJECTS: "true"}, AZURE_TRACING_ENABLED="off"
        ),
        fails=("tracing_on",),
    ),
    # Content, by settings
    Case(
        "content is recorded",
        with_settings(ENABLE_SENSITIVE_DATA="on"),
        fails=("content_recording",),
        says="must be not recorded",
    ),
    Case("the default records none", with_settings("ENABLE_SENSITIVE_DATA")),
    Case(
        "nobody knows whether content is recorded",
        with_settings(ENABLE_SENSITIVE_DATA="perhaps"),
        open=("content_recording",),
    ),
    Case(
        "a secret decides it",
        with_settings(references=("ENABLE_SENSITIVE_DATA",)),
        open=("content_recording",),
    ),
    Case(
        "a framework that is not listed records",
        with_settings(TRACELOOP_TRACE_CONTENT="true"),
        fails=("content_recording",),
    ),
    Case(
        "a secret decides for a framework that is not listed",
        with_settings(references=(CAPTURE,)),
        open=("content_recording",),
    ),
    Case(
        "content is wanted and not recorded",
        policy=RECORDED,
        fails=("content_recording", "content_in_traces"),
        says="Content must be recorded",
    ),
    Case(
        "content is wanted and recorded",
        replace(with_settings(ENABLE_SENSITIVE_DATA="true"), last_hour=replace(HOUR, with_content=1)),
        RECORDED,
    ),
    Case(
        "content is wanted, and a framework that is not listed would not record it",
        replace(
            with_settings(ENABLE_SENSITIVE_DATA="1", TRACELOOP_TRACE_CONTENT="false"),
            last_hour=replace(HOUR, with_content=9),
        ),
        RECORDED,
    ),
    # What the settings give to the resource
    Case(
        "no resource attributes",
        with_settings(ATTRIBUTES),
        fails=tuple(f"resource_attribute/{name}" for name in NAMES),
    ),
    Case(
        "only a tenant, and words without a value",
        with_settings(**{ATTRIBUTES: "service.version=,tenant.id=acme,prompt.version"}),
        fails=tuple(f"resource_attribute/{name}" for name in NAMES[:3]),
    ),
    Case(
        "another environment",
        with_settings(**{ATTRIBUTES: SETTINGS[ATTRIBUTES].replace("production", "staging")}),
        fails=("resource_attribute/environment",),
    ),
    Case(
        "the older name, spaces and percent signs",
        with_settings(
            **{
                ATTRIBUTES: (
                    " service.version = 2.4.0+a%3Db , prompt.version=x=y,"
                    "deployment.environment=production,tenant.id=a"
                )
            }
        ),
        release="2.4.0+a=b",
    ),
    Case(
        "a secret holds them",
        with_settings(references=(ATTRIBUTES,)),
        open=tuple(f"resource_attribute/{name}" for name in NAMES),
    ),
    Case(
        "a tenant is not asked of the settings",
        with_settings(**{ATTRIBUTES: SETTINGS[ATTRIBUTES].replace(",tenant.id=acme", "")}),
        with_policy(settings_attributes=NAMES[:3]),
    ),
    # Sampling
    Case("no sampler is set", with_settings(SAMPLER), fails=("sampling",), says="is not set"),
    Case(
        "all is kept by a sampler that is not allowed",
        policy=with_policy(samplers=("always_on",)),
        fails=("sampling",),
    ),
    Case(
        "nothing is kept, as the parent",
        with_settings(**{SAMPLER: "parentbased_always_off"}),
        fails=("sampling",),
    ),
    *(
        Case(
            f"more than all, by {name}",
            with_settings(**{SAMPLER: name, ARGUMENT: "1.5"}),
            fails=("sampling",),
        )
        for name in ("traceidratio", "parentbased_traceidratio", "microsoft.fixed_percentage")
    ),
    Case("one that nobody allowed", with_settings(**{SAMPLER: "jaeger_remote"}), fails=("sampling",)),
    Case("nothing is kept", with_settings(**{SAMPLER: "always_off"}), fails=("sampling",)),
    Case("all of it is kept", with_settings(**{SAMPLER: "always_on"})),
    Case(
        "a share that is too small",
        with_settings(**{SAMPLER: "traceidratio", ARGUMENT: "0.99"}),
        fails=("sampling",),
    ),
    Case(
        "a share that is just enough, in the distribution's spelling",
        with_settings(**{SAMPLER: "Trace_ID_Ratio", ARGUMENT: "0.5"}),
        RATIO,
    ),
    Case("a share without its number", with_settings(**{SAMPLER: "traceidratio"}), fails=("sampling",)),
    Case(
        "a share of which nobody knows what it is",
        with_settings(**{SAMPLER: "microsoft.fixed_percentage", ARGUMENT: "all"}),
        fails=("sampling",),
    ),
    Case(
        "a percentage where a share is wanted",
        with_settings(**{SAMPLER: "microsoft.fixed_percentage", ARGUMENT: "100"}),
        fails=("sampling",),
    ),
    Case("a full share", with_settings(**{SAMPLER: "microsoft.fixed_percentage", ARGUMENT: "1"})),
    Case(
        "a number below nothing",
        with_settings(**{SAMPLER: "traceidratio", ARGUMENT: "-1"}),
        fails=("sampling",),
    ),
    Case("no share", with_settings(**{SAMPLER: "traceidratio", ARGUMENT: "0"}), RATIO, fails=("sampling",)),
    Case("a slow rate", with_settings(**{SAMPLER: "microsoft.rate_limited", ARGUMENT: "0.5"})),
    Case("a rate", with_settings(**{SAMPLER: "microsoft.rate_limited", ARGUMENT: "5"})),
    Case(
        "a rate without its number", with_settings(**{SAMPLER: "microsoft.rate_limited"}), fails=("sampling",)
    ),
    Case(
        "a rate of nothing",
        with_settings(**{SAMPLER: "microsoft.rate_limited", ARGUMENT: "0"}),
        fails=("sampling",),
    ),
    Case(
        "a rate without an end",
        with_settings(**{SAMPLER: "microsoft.rate_limited", ARGUMENT: "inf"}),
        fails=("sampling",),
    ),
    Case("a secret samples", with_settings(references=(SAMPLER,)), open=("sampling",)),
    Case(
        "a secret says how much",
        with_settings(references=(ARGUMENT,), **{SAMPLER: "traceidratio"}),
        open=("sampling",),
    ),
    Case("the component drops half", with_component(sampling_percentage=50.0), fails=("ingestion_sampling",)),
    Case("and may", with_component(sampling_percentage=50.0), RATIO),
    Case("but no more", with_component(sampling_percentage=49.0), RATIO, fails=("ingestion_sampling",)),
    Case("traces were left out", with_hour(sampled=1), fails=("sampling_in_traces",)),
    Case("traces were left out, and may be", with_hour(sampled=1), RATIO),
    # Where rows are kept
    Case("another workspace", with_component(workspace_id=OTHER_WORKSPACE), fails=("workspace",)),
    Case("no workspace", with_component(workspace_id=None), fails=("workspace",)),
    Case("the workspace in capitals", with_component(workspace_id=WORKSPACE.upper())),
    Case("rows go a day early", replace(GOOD, retention=Retention(89, {})), fails=("retention",)),
    Case(
        "one table's rows go early",
        replace(GOOD, retention=Retention(365, {"AppExceptions": 30})),
        fails=("retention",),
    ),
    *(
        Case(
            f"rows of {table} go early",
            replace(GOOD, retention=Retention(90, {table: 89})),
            fails=("retention",),
        )
        for table in TABLES
    ),
    Case("a table that nobody reads", replace(GOOD, retention=Retention(90, {"AppMetrics": 30}))),
    Case(
        "the tables keep more than the workspace",
        replace(
            GOOD,
            retention=Retention(30, dict.fromkeys(TABLES, 90)),
        ),
    ),
    # Logs of other resources
    Case("no logs", replace(GOOD, diagnostics={ACCOUNT: ()}), fails=(f"diagnostic_settings/{ACCOUNT}",)),
    Case(
        "other logs",
        replace(GOOD, diagnostics={ACCOUNT: (DiagnosticSetting(WORKSPACE, frozenset({"Trace"})),)}),
        fails=(f"diagnostic_settings/{ACCOUNT}",),
    ),
    Case(
        "logs to another workspace, and to none",
        replace(
            GOOD,
            diagnostics={
                ACCOUNT: (
                    DiagnosticSetting(OTHER_WORKSPACE, frozenset({"Audit"})),
                    DiagnosticSetting(None, frozenset({"Audit"})),
                )
            },
        ),
        fails=(f"diagnostic_settings/{ACCOUNT}",),
    ),
    Case(
        "all logs, in another spelling",
        replace(GOOD, diagnostics={ACCOUNT: (DiagnosticSetting(WORKSPACE.upper(), frozenset({"allLogs"})),)}),
    ),
    Case(
        "logs in another spelling",
        replace(GOOD, diagnostics={ACCOUNT: (DiagnosticSetting(WORKSPACE, frozenset({"AUDIT"})),)}),
    ),
    Case("no logs are required", replace(GOOD, diagnostics={}), with_policy(diagnostics=())),
    Case(
        "the logs can't be read",
        replace(GOOD, diagnostics={ACCOUNT: BLOCKED}),
        open=(f"diagnostic_settings/{ACCOUNT}",),
    ),
    # The last hour
    Case("too few runs", with_hour(runs=2), fails=("traces_arrive",)),
    Case("no run", with_hour(runs=0), fails=("traces_arrive",), open=OF_RUNS),
    *(
        Case(
            f"a run without its {name}",
            with_hour(without={**HOUR.without, name: 1}),
            fails=(f"trace_attribute/{name}",),
        )
        for name in NAMES
    ),
    Case("content arrives", with_hour(with_content=1), fails=("content_in_traces",)),
    Case("traces of the workspace", with_hour(place=CUSTOMER)),
    Case(
        "traces of the workspace, whose id is in capitals",
        replace(with_hour(place=CUSTOMER), customer_id=CUSTOMER.upper()),
    ),
    Case("a component whose id is in capitals", with_component(resource_id=COMPONENT.upper())),
    Case("traces of another place", with_hour(place=KEY), open=TRACES),
    # What can't be read
    Case("no settings", replace(GOOD, settings=BLOCKED), open=OF_SETTINGS),
    Case(
        "no component",
        replace(GOOD, component=BLOCKED, customer_id=BLOCKED, retention=BLOCKED),
        open=("connection_string", "ingestion_sampling", "workspace", "retention", *TRACES),
    ),
    Case("no retention", replace(GOOD, retention=BLOCKED), open=("retention",)),
    Case("no traces", replace(GOOD, last_hour=BLOCKED), open=TRACES),
    Case(
        "nobody knows the workspace's id",
        replace(with_hour(place=CUSTOMER), customer_id=BLOCKED),
        open=TRACES,
    ),
    Case("nor needs it", replace(GOOD, customer_id=BLOCKED)),
)


def _switched(name: str, **on: str) -> dict[str, str]:
    tracing = {"azure_ai_projects": {PROJECTS: "true"}, "semantic_kernel": {KERNEL: "true"}}
    return {**tracing.get(name, {}), **on}


# What the frameworks' documentation says of each value: recorded, not recorded, or not told.
SWITCHES: tuple[tuple[str, dict[str, str], bool | None], ...] = (
    ("agent_framework", {}, False),
    *(("agent_framework", {"ENABLE_SENSITIVE_DATA": value}, True) for value in ("true", "1", "yes", "On")),
    *(("agent_framework", {"ENABLE_SENSITIVE_DATA": value}, False) for value in ("false", "0", "no", "off")),
    ("azure_ai_projects", {}, False),
    ("azure_ai_projects", {CAPTURE: "true"}, True),
    ("azure_ai_inference", {}, False),
    ("azure_ai_inference", {AZURE_CONTENT: "true"}, True),
    ("azure_ai_inference", {AZURE_CONTENT: "false"}, False),
    ("langchain_azure", {}, None),
    ("langchain_azure", {AZURE_CONTENT: "true"}, True),
    ("langchain_azure", {AZURE_CONTENT: "false"}, False),
    ("openai", {}, False),
    *(
        ("openai", {CAPTURE: value}, True)
        for value in ("SPAN_ONLY", "event_only", "SPAN_AND_EVENT", "true", "1")
    ),
    *(("openai", {CAPTURE: value}, False) for value in ("NO_CONTENT", "false", "0")),
    ("openai", {CAPTURE: "some"}, None),
    ("semantic_kernel", {}, False),
    ("semantic_kernel", {f"{KERNEL}_SENSITIVE": "true"}, True),
    ("openinference", {}, True),
    ("openinference", HIDDEN, False),
    ("openinference", {**HIDDEN, "OPENINFERENCE_HIDE_INPUTS": "false"}, True),
    ("openinference", {"OPENINFERENCE_HIDE_INPUTS": "true"}, True),
    ("openinference", {"OPENINFERENCE_HIDE_OUTPUTS": "true"}, True),
    ("traceloop", {}, True),
    ("traceloop", {"TRACELOOP_TRACE_CONTENT": "true"}, True),
    ("traceloop", {"TRACELOOP_TRACE_CONTENT": "false"}, False),
)

# The same, where recording is forbidden: what is recorded fails, what is not told is open.
SWITCH_CASES = tuple(
    Case(
        f"{name} {given}",
        *for_framework(name, recorded=False, **_switched(name, **given)),
        fails=("content_recording",) if recorded else (),
        open=("content_recording",) if recorded is None else (),
    )
    for name, given, recorded in SWITCHES
)

# The same, where recording is wanted: what is not recorded fails.
WANTED_CASES = tuple(
    Case(
        f"wanted: {name} {given}",
        replace(facts, last_hour=replace(HOUR, with_content=1)),
        policy,
        fails=("content_recording",) if fails else (),
        open=("content_recording",) if opens else (),
    )
    for name, given, recorded in SWITCHES
    for facts, policy in [for_framework(name, recorded=True, **_switched(name, **given))]
    # Where one of two switches hides what it should not, it is not recorded.
    for fails in [recorded is False or (name == "openinference" and "true" in given.values())]
    for opens in [recorded is None]
)

# Tracing switches of frameworks, each by itself.
TRACING_CASES = (
    Case("a kernel that is off", *for_framework("semantic_kernel", recorded=False), fails=("tracing_on",)),
    Case("a kernel that is on", *for_framework("semantic_kernel", recorded=False, **{KERNEL: "true"})),
    Case(
        "the inference SDK's tracing is off",
        *for_framework("azure_ai_inference", recorded=False, AZURE_TRACING_ENABLED="false"),
        fails=("tracing_on",),
    ),
    Case(
        "the preview's switch takes true alone",
        *for_framework("azure_ai_projects", recorded=False, **{PROJECTS: "on"}),
        open=("tracing_on",),
    ),
)
ALL = (*CONFIGURATIONS, *SWITCH_CASES, *WANTED_CASES, *TRACING_CASES)
