"""The scripted model: a loopback server that speaks OpenAI's two protocols and plays the scenario."""

from collections.abc import Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.wrappers import Request, Response

from tests.dialects.scenario import ANSWERING_MODEL, RUNS, TOOL, Run, Usage


class ScriptedModel:
    """A WSGI app; what to say follows from the conversation it is shown, so it keeps no state."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one model call, at whatever path a client puts before the protocol's own."""
        request = Request(environ)
        answer = _PROTOCOLS.get(request.path.rpartition("/")[2])
        if request.method != "POST" or answer is None:
            return Response(status=404)(environ, start_response)
        body = orjson.dumps(answer(orjson.loads(request.get_data())))
        return Response(body, mimetype="application/json")(environ, start_response)


def _run_shown_in(conversation: object) -> Run:
    """Return the run whose shipment or tool call the conversation is about."""
    text = orjson.dumps(conversation).decode()
    return next(run for run in RUNS.values() if run.shipment in text or _call_id(run) in text)


def _call_id(run: Run) -> str:
    return f"call_{run.name}"


def _arguments(run: Run) -> str:
    return orjson.dumps({"shipment": run.shipment}).decode()


def _completion(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    run = _run_shown_in(asked["messages"])
    turn = sum(message["role"] == "tool" for message in asked["messages"])
    calls_tool = bool(run.tool) and turn == 0
    message: dict[str, Any] = {"role": "assistant", "content": None if calls_tool else run.answer}
    if calls_tool:
        function = {
            # Some frameworks put a prefix before the tool's name; the model takes the name it is offered.
            "name": asked["tools"][0]["function"]["name"],
            "arguments": _arguments(run),
        }
        message["tool_calls"] = [{"id": _call_id(run), "type": "function", "function": function}]
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


def _response(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    run = _run_shown_in(asked["input"])
    # The service remembers the conversation: the client sends what is new.
    turn = int(isinstance(asked["input"], list))
    if run.tool and turn == 0:
        call = {"call_id": _call_id(run), "name": TOOL, "arguments": _arguments(run)}
        item = {"id": f"fc_{run.name}", "type": "function_call", "status": "completed", **call}
    else:
        content = {"type": "output_text", "text": run.answer, "annotations": []}
        item = {"id": f"msg_{run.name}", "type": "message", "role": "assistant", "status": "completed"}
        item["content"] = [content]
    usage = run.usages[turn]
    return {
        "id": f"resp_{run.name}_{turn}",
        "object": "response",
        "created_at": 1_800_000_000,
        "status": "completed",
        "model": ANSWERING_MODEL,
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "total_tokens": usage.input + usage.output,
            "input_tokens_details": {"cached_tokens": usage.cached},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


_PROTOCOLS = {"completions": _completion, "responses": _response}
