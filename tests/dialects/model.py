"""The scripted model: a loopback server that speaks OpenAI's chat completions and plays the scenario."""

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.wrappers import Request, Response

from tests.dialects.scenario import ANSWERING_MODEL, RUNS, Run, Usage


class ScriptedModel:
    """A WSGI app; what to say follows from the conversation it is shown, so it keeps no state."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one model call, at whatever path a client takes for chat completions."""
        request = Request(environ)
        if request.method != "POST" or not request.path.endswith("/chat/completions"):
            return Response(status=404)(environ, start_response)
        completion = _completion(orjson.loads(request.get_data()))
        return Response(orjson.dumps(completion), mimetype="application/json")(environ, start_response)


def run_shown_in(conversation: object) -> Run:
    """Return the run whose shipment the conversation is about."""
    text = orjson.dumps(conversation).decode()
    return next(run for run in RUNS.values() if run.shipment in text)


def _completion(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    run = run_shown_in(asked["messages"])
    turn = sum(message["role"] == "tool" for message in asked["messages"])
    calls_tool = bool(run.tool) and turn == 0
    message: dict[str, Any] = {"role": "assistant", "content": None if calls_tool else run.answer}
    if calls_tool:
        function = {
            # Some frameworks put a prefix before the tool's name; the model takes the name it is offered.
            "name": asked["tools"][0]["function"]["name"],
            "arguments": orjson.dumps({"shipment": run.shipment}).decode(),
        }
        message["tool_calls"] = [{"id": f"call_{run.name}", "type": "function", "function": function}]
    return {
        "id": f"chatcmpl-{run.name}-{turn}",
        "object": "chat.completion",
        "created": 1_800_000_000,
        "model": ANSWERING_MODEL,
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if calls_tool else "stop"}
        ],
        "usage": _usage(run.usages[turn]),
    }


def _usage(usage: Usage) -> Mapping[str, Any]:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }
