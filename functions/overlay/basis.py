"""How a configuration of the past is known. Apart, since whoever verifies a bundle needs this word alone."""

from enum import StrEnum


class Basis(StrEnum):
    """How it is known which configuration was valid.

    `observed`: it had come into force here by then. `stated`: its file says that it holds since then.
    """

    OBSERVED = "observed"
    STATED = "stated"
    UNKNOWN = "unknown"
