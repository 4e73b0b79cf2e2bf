"""The scripted model: plays its part through the framework's own client, so that the framework traces it."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any
from uuid import UUID

from agent_framework import (
    BaseChatClient,
    ChatMiddlewareLayer,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    FunctionInvocationLayer,
    Message,
    ResponseStream,
    UsageDetails,
)
from agent_framework.observability import ChatTelemetryLayer

from local.agents.script import Assignment, SampleAgent, Script, Usage


class _BareChatClient(BaseChatClient[Any]):
    """Answers one run's model calls in order from its script, a few milliseconds each. Does not stream."""

    OTEL_PROVIDER_NAME = "azure.ai.openai"

    def __init__(self, *, agent: SampleAgent, assignment: Assignment, script: Script, **layers: Any) -> None:
        super().__init__(**layers)
        self.model = agent.model
        self._answering_model = agent.answering_model
        self._script = script
        self._random = assignment.random
        usages = assignment.usages(
            prompt=agent.prompt_tokens,
            completion=agent.completion_tokens,
            model_calls=len(script.calls) + 1,
        )
        self._turns = enumerate(usages)

    def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **kwargs: Any
    ) -> Awaitable[ChatResponse] | ResponseStream[ChatResponseUpdate, ChatResponse]:
        del messages, stream, options, kwargs  # the script decides, whatever is asked
        return self._next_turn()

    async def _next_turn(self) -> ChatResponse:
        turn, usage = next(self._turns)
        await asyncio.sleep(self._random.uniform(0.005, 0.020))
        finished = turn == len(self._script.calls)
        return ChatResponse(
            messages=[Message("assistant", [self._script.answer if finished else self._call(turn)])],
            response_id=f"chatcmpl-{self._identifier()}",
            model=self._answering_model,
            finish_reason="stop" if finished else "tool_calls",
            usage_details=_details(usage),
        )

    def _call(self, turn: int) -> Content:
        call = self._script.calls[turn]
        return Content.from_function_call(f"call_{self._identifier()}", call.tool, arguments=call.arguments)

    def _identifier(self) -> str:
        return UUID(int=self._random.getrandbits(128), version=4).hex


class ScriptedChatClient(
    FunctionInvocationLayer[Any], ChatMiddlewareLayer[Any], ChatTelemetryLayer[Any], _BareChatClient
):
    """The scripted model inside the layers that the framework's published clients are made of."""


def _details(usage: Usage) -> UsageDetails:
    return UsageDetails(
        input_token_count=usage.prompt,
        output_token_count=usage.completion,
        total_token_count=usage.prompt + usage.completion,
        cache_read_input_token_count=usage.cached,
    )
