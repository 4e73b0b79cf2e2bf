"""The release gate's rules over the app's own settings: what it sends, where to, and how much of it."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from functions.release.gate_facts import AppSettings, Component, Facts, Unknown
from functions.release.gate_policy import Policy
from functions.release.gate_verdicts import Rule, Verdict
from functions.release.samplers import CONSTANT, RATE_LIMITED, RATIO, sampler
from functions.release.switches import EVERYWHERE, FRAMEWORKS, Switch

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
RESOURCE_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
SAMPLER, SAMPLER_ARGUMENT = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"

_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RELEASE = ("service.version",)
"""The exporter writes it to AppVersion, which the views call Release."""


def connection_string(facts: Facts) -> Verdict:
    """The app is told where to send, and that is the component that is looked at here."""
    say = Rule("connection_string")
    settings = facts.settings
    if isinstance(settings, Unknown):
        return say.unknown(settings)
    if CONNECTION_STRING in settings.references:
        return say.passed("It refers to a secret; that traces arrive shows that it resolves.")
    given = settings.values.get(CONNECTION_STRING, "").strip()
    if not given:
        return say.failed(f"{CONNECTION_STRING} is missing.", "Set it to the component's connection string.")
    key = _instrumentation_key(given)
    if key is None:
        return say.failed(
            f"{CONNECTION_STRING} has no InstrumentationKey or no https IngestionEndpoint.",
            "Copy it again from the component's overview, or refer to a secret of Key Vault.",
        )
    return _compared(say, key, facts.component)


def tracing_on(facts: Facts, policy: Policy) -> Verdict:
    """No setting keeps the agents from sending spans."""
    say = Rule("tracing_on")
    settings = facts.settings
    if isinstance(settings, Unknown):
        return say.unknown(settings)
    needed = [switch for name in policy.frameworks for switch in FRAMEWORKS[name].tracing]
    off = _names(settings, (*EVERYWHERE, *needed), state=False)
    if off:
        return say.failed(f"Tracing is off by {off}.", "Correct these settings, so that spans are sent.")
    unclear = [switch for switch in EVERYWHERE if switch.setting in settings.references]
    unclear += [switch for switch in needed if switch.state(settings) is None]
    if unclear:
        return say.open(*_unclear(unclear))
    return say.passed("No setting keeps spans back.")


def content_recording(facts: Facts, policy: Policy) -> Verdict:
    """The settings record content where the policy wants it, and nowhere else."""
    say = Rule("content_recording")
    settings = facts.settings
    if isinstance(settings, Unknown):
        return say.unknown(settings)
    used = [switch for name in policy.frameworks for switch in FRAMEWORKS[name].content]
    if not policy.content_recording:
        # What is set for a framework that is not listed is believed rather than the list.
        others = [switch for each in FRAMEWORKS.values() for switch in each.content]
        used += [switch for switch in others if _is_given(settings, switch)]
    wrong = _names(settings, used, state=not policy.content_recording)
    if wrong:
        wanted = "recorded" if policy.content_recording else "not recorded"
        return say.failed(f"Content must be {wanted}, and {wrong} says otherwise.", "Correct these settings.")
    unclear = [switch for switch in used if switch.state(settings) is None]
    if unclear:
        return say.open(*_unclear(unclear))
    return say.passed("The settings are as the policy says.")


def resource_attribute(facts: Facts, policy: Policy, name: str, release: str | None) -> Verdict:
    """The app's settings give an attribute to everything that it sends, and the right one."""
    say = Rule("resource_attribute", name)
    settings = facts.settings
    if isinstance(settings, Unknown):
        return say.unknown(settings)
    if RESOURCE_ATTRIBUTES in settings.references:
        return say.open(f"{RESOURCE_ATTRIBUTES} refers to a secret.", "Give its value itself: it holds none.")
    given = _resource_attributes(settings)
    keys = _RELEASE if name == "release" else tuple(getattr(facts.attributes, name))
    value = next((given[key] for key in keys if given.get(key)), None)
    if value is None:
        return say.failed(
            f"{RESOURCE_ATTRIBUTES} has none of {', '.join(keys)}.", f"Add {keys[0]}=... to it."
        )
    expected = {"environment": policy.environment, "release": release}.get(name)
    if expected is not None and value != expected:
        return say.failed(f"It says another {name} than the one that is released.", "Correct it.")
    return say.passed("It is set.")


def sampling(facts: Facts, policy: Policy) -> Verdict:
    """It is known how many traces the app keeps, and they are enough.

    Unset, the Azure Monitor distribution for Python limits the rate by itself, others keep all
    (https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-sampling).
    """
    say = Rule("sampling")
    settings = facts.settings
    if isinstance(settings, Unknown):
        return say.unknown(settings)
    if settings.references & {SAMPLER, SAMPLER_ARGUMENT}:
        return say.open("The sampler refers to a secret.", "Give its value itself: it holds none.")
    name = sampler(settings.values.get(SAMPLER, ""))
    if not name:
        return say.failed(f"{SAMPLER} is not set, and what holds then depends on the library.", "Set it.")
    if name not in policy.samplers:
        allowed = ", ".join(policy.samplers)
        return say.failed(f"{SAMPLER} is none of those that are allowed.", f"Take one of {allowed}.")
    return _share(say, name, _number(settings.values.get(SAMPLER_ARGUMENT, "")), policy.minimum_ratio)


def _share(say: Rule, name: str, argument: float | None, minimum: float) -> Verdict:
    if name in RATE_LIMITED:
        return _limited(say, argument)
    if name in RATIO and (argument is None or argument > 1):
        return say.failed(f"{SAMPLER_ARGUMENT} is no share from 0 to 1.", "Set it.")
    if CONSTANT.get(name, argument or 0.0) < minimum:
        return say.failed("The app keeps a smaller share of traces than is allowed.", "Raise it.")
    return say.passed("The share of traces that are kept is known and large enough.")


def _limited(say: Rule, traces_a_second: float | None) -> Verdict:
    if not traces_a_second:
        return say.failed(f"{SAMPLER_ARGUMENT} is no number of traces a second above 0.", "Set it.")
    return say.passed("The number of traces a second is limited, as is allowed.")


def _compared(say: Rule, key: str, component: Component | Unknown) -> Verdict:
    if isinstance(component, Unknown):
        return say.unknown(component)
    if key != component.instrumentation_key.lower():
        return say.failed(
            "It names another component than the one that was given.",
            "Set the connection string of the right component, or give the gate the one that is sent to.",
        )
    return say.passed("It names the component.")


def _instrumentation_key(connection_string: str) -> str | None:
    """Return the key that a connection string names; None where it is none, or has no https endpoint."""
    pairs = (part.split("=", 1) for part in connection_string.split(";") if "=" in part)
    named = {name.strip().lower(): value.strip() for name, value in pairs}
    key = named.get("instrumentationkey", "").lower()
    usable = _KEY.fullmatch(key) and named.get("ingestionendpoint", "").startswith("https://")
    return key if usable else None


def _names(settings: AppSettings, switches: Iterable[Switch], *, state: bool) -> str:
    """Return the settings that are in a state, sorted, each once."""
    return ", ".join(sorted({one.setting for one in switches if one.state(settings) is state}))


def _unclear(switches: Iterable[Switch]) -> tuple[str, str]:
    names = ", ".join(sorted({switch.setting for switch in switches}))
    return f"What {names} means can't be told.", "Set it to true or false, and not by a reference."


def _is_given(settings: AppSettings, switch: Switch) -> bool:
    given = settings.values.get(switch.setting, "").strip()
    return bool(given) or switch.setting in settings.references


def _resource_attributes(settings: AppSettings) -> dict[str, str]:
    """Read key=value pairs, percent-encoded (https://opentelemetry.io/docs/specs/otel/resource/sdk/)."""
    pairs = settings.values.get(RESOURCE_ATTRIBUTES, "").split(",")
    split = [pair.split("=", 1) for pair in pairs if "=" in pair]
    return {key.strip(): unquote(value.strip()) for key, value in split}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
