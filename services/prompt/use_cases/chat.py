"""Talking about a project."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.prompt.domain.captions import ChatNotConfigured, Hints, Usage
from services.prompt.domain.chat import Conversation, HistoryLimit, Reply, newest, opening
from services.prompt.domain.instructions import Exchange
from services.prompt.domain.ports import Run, Store, Talker
from services.prompt.domain.projection import project, tempo_of
from services.prompt.use_cases.known import Known, find_known


class Chat:
    """The co-pilot; without a talker every conversation is refused."""

    def __init__(
        self,
        store: Store,
        talker: Talker | None,
        run: Run,
        *,
        limit: HistoryLimit | None = None,
        public_names: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._talker = talker
        self._run = run
        self._limit = limit or HistoryLimit()
        self._public_names = public_names

    async def stream(self, conversation: Conversation) -> AsyncGenerator[str | Reply, None]:
        """Text as it comes, and at last the whole answer.

        Raises:
            ChatNotConfigured: There is no language model.
            LiveSetNotFound: The Live Set is not there.
            ModelBusy: The limits of this installation for the model are reached.
            OpenAiThrottled: The provider's are.
            DependencyUnavailable: It cannot be reached.
        """
        if self._talker is None:
            raise ChatNotConfigured(
                "the chat needs a language model: set TONEWRIGHT_PROMPT_OPENAI_API_KEY, and "
                "TONEWRIGHT_PROMPT_OPENAI_BASE_URL for another service than OpenAI's, and start the service again"
            )
        told = await self._run(self._opening, conversation)
        said, dropped = newest(conversation.lines, self._limit)
        answer, usage = "", Usage()
        async with aclosing(self._talker.talk([told, *said])) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage += piece
                else:
                    answer += piece
                    yield piece
        yield Reply(answer, self._talker.model, usage, self._talker.cost_usd_micros(usage), dropped)

    def _opening(self, conversation: Conversation) -> Exchange:
        known: Known = find_known(self._store, conversation.artist, conversation.live_set, self._public_names)
        tempo = tempo_of(known.summary)
        context = known.rules(tempo)
        projection = project(
            master_schema=known.profile.master_schema,
            profile_notes=known.profile.notes,
            summary=known.summary,
            hints=Hints(),
            audio={},
            tempo_bpm=tempo,
            context=context,
        )
        return opening(conversation.mode, projection, conversation.captions, context)
