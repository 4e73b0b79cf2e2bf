"""Indexes one function_app.py and invokes its functions through Microsoft's own azure-functions-runtime.

The runtime keeps its registry in module globals, so that a process can hold one app only.
"""

import asyncio
import json
import re
import sys
import threading
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import azure_functions_runtime as worker
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from local.host.invocations import (
    Call,
    Failed,
    Outcome,
    OutgoingMessage,
    Succeeded,
    read_answer,
    read_messages,
)

_BINDINGS = frozenset({"httpTrigger", "http", "timerTrigger", "queueTrigger", "queue"})
_RETURN = "$return"


class AppLoadError(Exception):
    """The folder holds no app, or one that doesn't load; the message has the reason and where."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding of a function, as its decorators declare it.

    Attributes:
        name: The parameter's name, or `$return`.
        type: For example `httpTrigger` or `queue`.
        settings: The rest: route, methods, schedule, queueName, connection ...
    """

    name: str
    type: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function: what starts it and where its results go."""

    name: str
    function_id: str
    trigger: Binding
    outputs: tuple[Binding, ...]


class FunctionsRuntime:
    """The app in `folder`, indexed. Build it once a process.

    Attributes:
        functions: By name.

    Raises:
        AppLoadError: The app doesn't load, or has a binding that this host lacks.
    """

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        # Functions that are coroutines share one loop, as in the deployed worker.
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        worker.start_threadpool_executor()
        self.functions: Mapping[str, Function] = {
            function.name: function for function in map(_read_function, self._index(folder))
        }

    def invoke(self, function: Function, call: Call) -> Outcome:
        """Run one function and wait for it. Never raises for what the function does."""
        inputs = [(function.trigger.name, call.trigger())]
        succeeded, returned, outputs, error, _ = self._wait(
            invocation_request_native(str(uuid4()), function.function_id, inputs, call.metadata())
        )
        if not succeeded:
            return Failed(_error_type(error))
        written = dict(outputs)
        if returned is not None and returned.type is not None:
            written[_RETURN] = returned
        return Succeeded(
            next((read_answer(datum) for datum in _of_type("http", function, written)), None),
            tuple(_messages(function, written)),
        )

    def _index(self, folder: Path) -> Iterable[Any]:
        request = SimpleNamespace(
            request=SimpleNamespace(
                worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(folder))
            ),
            properties={"protos": _MESSAGES, "host": "127.0.0.1"},
        )
        answer = self._wait(worker.worker_init_request(request))
        if answer.result.status != _MESSAGES.StatusResult.Success:
            raise AppLoadError(f"{answer.result.exception.message}\n{answer.result.exception.stack_trace}")
        found = self._wait(worker.functions_metadata_request(request)).function_metadata_results
        if not found:
            raise AppLoadError(f"{folder} has no function_app.py, or it has no functions.")
        return found  # type: ignore[no-any-return]  # the runtime ships no types

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Message(SimpleNamespace):
    """Stands for any protobuf message of the worker's contract: the runtime only sets and reads fields."""


class _StatusResult(_Message):
    Failure, Success = 0, 1


class _BindingInfo(_Message):
    undefined, out, inout = 0, 1, 2


_MESSAGES = SimpleNamespace(
    StatusResult=_StatusResult,
    BindingInfo=_BindingInfo,
    FunctionMetadataResponse=_Message,
    RpcException=_Message,
    RpcFunctionMetadata=_Message,
    RpcRetryOptions=_Message,
    WorkerInitResponse=_Message,
    WorkerMetadata=_Message,
)


def _read_function(metadata: Any) -> Function:
    bindings = [_read_binding(json.loads(raw)) for raw in metadata.raw_bindings]
    strange = {binding.type for binding in bindings} - _BINDINGS
    if strange:
        raise AppLoadError(f"{metadata.name} has bindings that the local host lacks: {sorted(strange)}.")
    trigger = next(binding for binding in bindings if binding.type.endswith("Trigger"))
    outputs = tuple(binding for binding in bindings if binding is not trigger)
    return Function(metadata.name, metadata.function_id, trigger, outputs)


def _read_binding(raw: dict[str, Any]) -> Binding:
    return Binding(raw.pop("name"), raw.pop("type"), raw)


def _of_type(kind: str, function: Function, written: Mapping[str, Datum]) -> Iterable[Datum]:
    return (written[out.name] for out in function.outputs if out.type == kind and out.name in written)


def _messages(function: Function, written: Mapping[str, Datum]) -> Iterable[OutgoingMessage]:
    for out in function.outputs:
        if out.type == "queue" and out.name in written:
            for body in read_messages(written[out.name]):
                yield OutgoingMessage(out.settings["queueName"], out.settings["connection"], body)


def _error_type(representation: str) -> str:
    """The class name that an exception's repr starts with."""
    name = re.match(r"\w+", representation)
    return name.group() if name else "Exception"
