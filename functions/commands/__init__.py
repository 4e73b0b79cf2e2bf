"""The commands of `tracekeeper`, one module each: `add` describes it, `run` does it."""
