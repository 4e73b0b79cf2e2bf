"""Writes an hour of a large fleet's spans straight into the local engine's tables: no envelope is parsed.

A run is ten spans: the request, the agent, four model calls, three tool calls and a retrieval. Every fiftieth
agent misbehaves in each of its runs (stale data, an unapproved tool, slow steps, no conversation), and the
look-ups of its neighbour fail. One run in a hundred has an exception, one in ten an evaluation.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from functions.traces.agents import Agents
from local.azure_monitor.ingestion import Telemetry
from local.azure_monitor.rewriting import INGESTION_TIME, TIME_RECEIVED
from local.azure_monitor.schema import tables

AGENTS = 1_000
SPANS_A_RUN = 10

_STEPS = """(VALUES
    (1, 0, 'invoke_agent', ''), (2, 1, 'chat', ''), (3, 1, 'execute_tool', 'get_shipment_status'),
    (4, 1, 'chat', ''), (5, 1, 'execute_tool', 'search_knowledge_base'), (6, 5, 'retrieval', ''),
    (7, 1, 'chat', ''), (8, 1, 'execute_tool', 'get_shipment_status'), (9, 1, 'chat', '')
) AS steps(step, above, operation, tool)"""

_RUN = f"""
    SELECT run, bad, failing, 'agent-' || lpad((run % {AGENTS})::VARCHAR, 4, '0') AS agent,
        lower(lpad(to_hex(run), 32, '0')) AS trace,
        $start::TIMESTAMP + to_microseconds((run * $microseconds // $runs)::BIGINT) AS began
    FROM (SELECT range AS run, range % {AGENTS} % 50 = 7 AS bad, range % {AGENTS} % 50 = 8 AS failing
        FROM range($runs))
"""  # noqa: S608 - own numbers

_CALL = """json_object(
    'gen_ai.operation.name', operation,
    'gen_ai.agent.name', CASE WHEN operation = 'invoke_agent' THEN agent ELSE '' END,
    'gen_ai.conversation.id', CASE WHEN operation = 'invoke_agent' AND NOT bad
        THEN 'conv-00000000-0000-0000-0000-' || right(trace, 12) ELSE '' END,
    'gen_ai.tool.name', CASE WHEN bad AND step = 8 THEN 'delete_customer_record' ELSE tool END,
    'gen_ai.tool.call.arguments', CASE WHEN tool != '' THEN '{"id": ' || run || '}' ELSE '' END,
    'gen_ai.request.model', CASE WHEN operation = 'chat' THEN 'gpt-4o' ELSE '' END,
    'gen_ai.usage.input_tokens', CASE WHEN operation = 'chat' THEN (800 + run % 97)::VARCHAR ELSE '' END,
    'gen_ai.usage.output_tokens', CASE WHEN operation = 'chat' THEN (90 + run % 13)::VARCHAR ELSE '' END,
    'tool.data_as_of', CASE WHEN tool = 'get_shipment_status' THEN
        strftime(began - CASE WHEN bad THEN INTERVAL 9 HOUR ELSE INTERVAL 5 MINUTE END, '%Y-%m-%dT%H:%M:%SZ')
        ELSE '' END,
    'retrieval.document_count', CASE WHEN operation = 'retrieval' THEN '3' ELSE '' END)"""

_TABLES = {
    "AppRequests": (
        f"({_RUN})",
        {
            "Id": "lower(lpad(to_hex(run * 16), 16, '0'))",
            "Name": "'POST /ask'",
            "DurationMs": "2000.0",
            "ResultCode": "'200'",
            "Properties": "json_object('app.intent', 'shipment_status', 'tenant.id', 'tenant-' || run % 7)",
        },
    ),
    "AppDependencies": (
        f"({_RUN}), {_STEPS}",
        {
            "Id": "lower(lpad(to_hex(run * 16 + step), 16, '0'))",
            "ParentId": "lower(lpad(to_hex(run * 16 + above), 16, '0'))",
            "Name": "operation",
            "DurationMs": "CASE WHEN bad THEN 9000.0 ELSE 20.0 + run % 31 END",
            "Success": "NOT (failing AND tool = 'get_shipment_status')",
            "ResultCode": "'0'",
            "DependencyType": "'InProc'",
            "Properties": _CALL,
        },
    ),
    "AppExceptions": (
        f"({_RUN}) WHERE run % 100 = 7",
        {"ParentId": "lower(lpad(to_hex(run * 16 + 2), 16, '0'))", "ExceptionType": "'TimeoutError'"},
    ),
    "AppEvents": (
        f"({_RUN}) WHERE run % 10 = 7",
        {
            "ParentId": "lower(lpad(to_hex(run * 16 + 1), 16, '0'))",
            "Name": "'gen_ai.evaluation.result'",
            "Properties": "json_object('gen_ai.evaluation.name', 'groundedness', "
            "'gen_ai.evaluation.score.value', CASE WHEN bad THEN '0.2' ELSE '0.9' END)",
        },
    ),
}


def an_hour_of(spans: int, start: datetime) -> Telemetry:
    """Return `spans` spans, spread over the hour from `start`, each ingested a second after its time."""
    return spread(spans, start, timedelta(hours=1))


def spread(spans: int, start: datetime, over: timedelta) -> Telemetry:
    """Return `spans` spans, spread over so much time from `start`, each ingested a second after its time."""
    telemetry = Telemetry()
    values = {
        "start": f"{start:%Y-%m-%d %H:%M:%S}",
        "runs": spans // SPANS_A_RUN,
        "microseconds": over // timedelta(microseconds=1),
    }
    for table, (source, given) in _TABLES.items():
        usual = {
            "TimeGenerated": "began",
            TIME_RECEIVED: "began",
            INGESTION_TIME: "began + INTERVAL 1 SECOND",
            "OperationId": "trace",
            "AppVersion": "'1.0.0'",
            "Success": "true",
            "ItemCount": "1",
            "Properties": "json_object()",
            "_BilledSize": "700",
        }
        kinds = {**tables()[table], TIME_RECEIVED: "datetime", INGESTION_TIME: "datetime"}
        columns = {
            name: (usual | given).get(name, "''" if kind == "string" else "NULL")
            for name, kind in kinds.items()
        }
        names = ", ".join(f'"{name}"' for name in columns)
        telemetry._database.execute(  # noqa: SLF001 - past the ingestion on purpose: it would take minutes
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(columns.values())} FROM {source}',  # noqa: S608 - own text
            values,
        )
    return telemetry


def declared(agents: Agents, model: str) -> Agents:
    """Return agents.yaml as it would be if all agents of the fleet were declared as the agent `model` is.

    Only ten have an id format: the local engine, unlike Kusto, compiles the pattern anew for each run.
    """
    like = agents.by_name[model]
    return replace(
        agents,
        by_name={
            name: replace(like, name=name, id_format=like.id_format if number < 10 else None)
            for number, name in ((number, f"agent-{number:04}") for number in range(AGENTS))
        },
    )
