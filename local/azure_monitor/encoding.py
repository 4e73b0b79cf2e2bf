"""Encodes DuckDB's values as the query API encodes Kusto's in JSON."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

_KQL_TYPE = {
    "BOOLEAN": "bool",
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "BIGINT": "long",
    "UBIGINT": "long",
    # DuckDB sums integers into a HUGEINT where Kusto stays with long.
    "HUGEINT": "long",
    "FLOAT": "real",
    "DOUBLE": "real",
    "VARCHAR": "string",
    "UUID": "guid",
    "DATE": "datetime",
    "TIMESTAMP": "datetime",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "INTERVAL": "timespan",
    "JSON": "dynamic",
    # A bare null has no type in DuckDB; in Kusto such a column is dynamic.
    '"NULL"': "dynamic",
}


def kql_type(duckdb_type: str) -> str:
    """Return the KQL name of a DuckDB type; lists and structures are `dynamic`."""
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    return _KQL_TYPE.get(duckdb_type, "dynamic")


def encode_column(kind: str, values: Sequence[Any]) -> list[object]:
    """Encode one column's values of a KQL type."""
    if kind == "string":
        # Kusto strings are never null.
        return ["" if value is None else value for value in values]
    encode = _ENCODERS.get(kind)
    if encode is None:
        return list(values)
    return [None if value is None else encode(value) for value in values]


def _datetime(value: date) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00Z"
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    # Kusto counts in ticks of 100 ns: seven digits, or none for whole seconds.
    return value.isoformat() + ("0Z" if value.microsecond else "Z")


def _timespan(value: timedelta) -> str:
    sign, rest = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{rest.days}." if rest.days else ""
    fraction = f".{rest.microseconds:06d}0" if rest.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"


def _dynamic(value: object) -> str:
    if not isinstance(value, str):
        return orjson.dumps(value, default=_inside_dynamic, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    # A dynamic that is a string is sent as its text; DuckDB holds it as quoted JSON.
    return str(orjson.loads(value)) if value.startswith('"') else value


def _inside_dynamic(value: object) -> object:
    if isinstance(value, date):
        return _datetime(value)
    if isinstance(value, timedelta):
        return _timespan(value)
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


def _real(value: float) -> object:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


_ENCODERS: dict[str, Callable[[Any], object]] = {
    "datetime": _datetime,
    "timespan": _timespan,
    "dynamic": _dynamic,
    "real": _real,
    "guid": str,
    "decimal": str,
}
