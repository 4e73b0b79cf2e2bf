"""The samplers that OTEL_TRACES_SAMPLER may name, and what share of traces they keep.

Sources: https://opentelemetry.io/docs/languages/sdk-configuration/general/ for the standard ones (Microsoft's
distribution for Python writes some with underscores), and for those of Microsoft
https://learn.microsoft.com/azure/azure-monitor/app/opentelemetry-sampling: the argument of
microsoft.fixed_percentage is a share from 0 to 1, that of microsoft.rate_limited a number of traces a second.
"""

CONSTANT = {
    "always_on": 1.0,
    "parentbased_always_on": 1.0,
    "always_off": 0.0,
    "parentbased_always_off": 0.0,
}
"""Those without an argument, and the share that they keep."""

RATIO = frozenset({"traceidratio", "parentbased_traceidratio", "microsoft.fixed_percentage"})
"""Those whose argument is the share that they keep."""

RATE_LIMITED = frozenset({"microsoft.rate_limited"})
"""Those whose argument is a number of traces a second."""

SAMPLERS = (*CONSTANT, *sorted(RATIO), *sorted(RATE_LIMITED))


def sampler(value: str) -> str:
    """Return the sampler that a setting names, in the standard's spelling; "" where it names none."""
    return value.strip().lower().replace("trace_id_ratio", "traceidratio")
