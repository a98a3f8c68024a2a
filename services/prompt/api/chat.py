"""The chat over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from chassis.errors import require
from services.prompt.api.messages import LIVE_SET, artist_in, id_in
from services.prompt.domain.chat import ChatMode, Conversation, Line, Reply
from services.prompt.use_cases.chat import Chat
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

_MODES = {
    pb.CHAT_MODE_UNSPECIFIED: ChatMode.PRODUCTION,
    pb.CHAT_MODE_PRODUCTION: ChatMode.PRODUCTION,
    pb.CHAT_MODE_TRAIN: ChatMode.TRAIN,
    pb.CHAT_MODE_GENERATE: ChatMode.GENERATE,
}
_PERSON = {pb.CHAT_ROLE_USER: True, pb.CHAT_ROLE_ASSISTANT: False}


class ChatMethods(prompt_pb2_grpc.PromptServiceServicer):
    """The part of the service that talks."""

    _chat: Chat

    async def StreamChat(self, request: pb.StreamChatRequest, context: Any) -> AsyncIterator[pb.StreamChatResponse]:
        """An answer, word by word."""
        async for step in self._chat.stream(conversation_in(request)):
            if isinstance(step, Reply):
                yield pb.StreamChatResponse(reply=reply_message(step))
            else:
                yield pb.StreamChatResponse(delta=step)


def conversation_in(request: pb.StreamChatRequest) -> Conversation:
    """The conversation of a request; a role that is neither person nor assistant is refused."""
    mode = _MODES.get(request.mode)
    require(mode is not None, "mode", "one of PRODUCTION, TRAIN, GENERATE")
    known = all(message.role in _PERSON for message in request.messages)
    require(known, "messages.role", "CHAT_ROLE_USER or CHAT_ROLE_ASSISTANT")
    assert mode is not None
    return Conversation(
        artist=artist_in(request.parent, "parent"),
        mode=mode,
        lines=tuple(Line(_PERSON[message.role], message.content) for message in request.messages),
        live_set=id_in(LIVE_SET, request.live_set, "live_set"),
        captions=tuple(request.captions),
    )


def reply_message(reply: Reply) -> pb.ChatReply:
    """The whole answer as a message."""
    return pb.ChatReply(
        content=reply.content,
        model=reply.model,
        prompt_tokens=reply.usage.prompt_tokens,
        completion_tokens=reply.usage.completion_tokens,
        cost_usd_micros=reply.cost_usd_micros,
        dropped_messages=reply.dropped_messages,
    )
