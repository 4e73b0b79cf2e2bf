"""Which traces a query is about, as KQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Membership:
    """Some traces, named by their ids or by a subquery, so that nobody has to hold their ids.

    Attributes:
        lets: "" or `let` statements, each ending in a semicolon and a new line, that define a tabular name
            with a column OperationId: `let Chosen = union (AppRequests | …), … | distinct OperationId;`.
        condition: One step over a table that has OperationId: `where OperationId in ("…", …)`, at most 500
            ids, or `where OperationId in (Chosen)`.
        shown_lets: `lets` as anybody may read it, with pseudonyms in place of what is personal; "" where
            `lets` holds nothing personal.
    """

    lets: str
    condition: str
    shown_lets: str = ""
