"""Puts the prompt service together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chassis.context import Role
from chassis.runtime import App, MethodRule, Runtime, run_service
from services.prompt.alsfile.container import Limits
from services.prompt.alsfile.reader import LiveSetReader
from services.prompt.api.artists import ArtistsServicer
from services.prompt.api.prompt import PromptServicer
from services.prompt.blobs import LiveSetBlobs
from services.prompt.domain.captions import Prices
from services.prompt.domain.chat import HistoryLimit
from services.prompt.domain.composer import OfflineWriter
from services.prompt.domain.ports import Talker, Writer
from services.prompt.peers import SessionsAssets
from services.prompt.settings import PromptSettings
from services.prompt.store.database import SqlStore
from services.prompt.use_cases.artists import Artists, Members, Profiles
from services.prompt.use_cases.captions import Captions
from services.prompt.use_cases.chat import Chat
from services.prompt.use_cases.checks import Checks
from services.prompt.use_cases.live_sets import LiveSets
from services.prompt.use_cases.purge import purge
from services.prompt.use_cases.templates import Templates
from tonewright.artists.v1 import artists_pb2_grpc
from tonewright.prompt.v1 import prompt_pb2_grpc

_Stop = Callable[[], Awaitable[None]]
_OWNER = MethodRule(role=Role.OWNER)
_PLATFORM = MethodRule(scope="platform")
_OPERATOR = MethodRule(operator=True)
METHOD_RULES = {
    "CreateArtist": _PLATFORM,
    "ListArtists": _PLATFORM,
    "ResolveMembership": _PLATFORM,
    "ListMemberships": _PLATFORM,
    "DeleteArtist": _OWNER,
    "UndeleteArtist": _OWNER,
    "CreateMember": _OWNER,
    "UpdateMember": _OWNER,
    "DeleteMember": _OWNER,
    "SearchArtists": _OPERATOR,
    "GetQuota": _OPERATOR,
    "UpdateQuota": _OPERATOR,
    "ExportArtist": _OPERATOR,
    "PurgeArtist": _OPERATOR,
    "ListAuditEntries": _OPERATOR,
    # They write a caption and may cost money, whatever their names begin with.
    "StreamCaption": MethodRule(role=Role.EDITOR),
    "StreamChat": MethodRule(role=Role.EDITOR),
    "CheckCaption": MethodRule(role=Role.VIEWER),
    "BatchCheckCaptions": MethodRule(role=Role.VIEWER),
    "ApprovePromptTemplate": _OWNER,
    "RetirePromptTemplate": _OWNER,
}


def build(runtime: Runtime) -> App:
    """The service on its runtime."""
    settings: PromptSettings = runtime.settings
    clock, run = runtime.clock, runtime.pool.run
    store = SqlStore(runtime.db, runtime.pager, clock)
    blobs = LiveSetBlobs(runtime.objects)
    reader = LiveSetReader(_limits(settings), slots=settings.als_readers)
    writer, talker, on_stop = _model(runtime, settings)
    public_names = settings.public_names()

    async def purge_loop(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await run(_purge_alone)
            try:
                await asyncio.wait_for(stop.wait(), settings.purge_every_s)
            except TimeoutError:
                continue

    def _purge_alone() -> None:
        with runtime.db.exclusively("purge") as mine:
            while mine and purge(store, blobs, clock):
                pass

    # The generated base answers UNIMPLEMENTED for the methods that have no body here.
    artists = ArtistsServicer(  # type: ignore[abstract]
        Artists(store, clock), Members(store, clock), Profiles(store), run
    )
    captions = Captions(store, writer, SessionsAssets(runtime.channels), clock, run, public_names=public_names)
    limit = HistoryLimit(settings.chat_max_messages, settings.chat_max_characters)
    prompt = PromptServicer(
        LiveSets(store, blobs, reader, clock),
        captions,
        Checks(store, public_names),
        Templates(store, clock),
        Chat(store, talker, run, limit=limit, public_names=public_names),
        run,
        readers=settings.als_readers,
    )
    return App(
        servicers=[
            (artists_pb2_grpc.add_ArtistsServiceServicer_to_server, artists),
            (prompt_pb2_grpc.add_PromptServiceServicer_to_server, prompt),
        ],
        method_rules=METHOD_RULES,
        loops=[purge_loop],
        on_stop=on_stop,
    )


def _limits(settings: PromptSettings) -> Limits:
    return Limits(
        file_bytes=settings.als_max_bytes,
        xml_bytes=settings.als_max_xml_bytes,
        ratio=settings.als_max_ratio,
        depth=settings.als_max_depth,
        nodes=settings.als_max_nodes,
        memory_bytes=settings.als_max_memory_bytes,
        seconds=settings.als_timeout_s,
    )


def _model(runtime: Runtime, settings: PromptSettings) -> tuple[Writer, Talker | None, list[_Stop]]:
    """Who writes captions and who talks, and what to close at the end."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    if not key:
        return OfflineWriter(), None, []
    from services.prompt import openai  # 40 MB that a service without a key does not need

    gate = openai.Gate(
        runtime.clock,
        concurrent=settings.openai_max_concurrent,
        per_minute=settings.openai_requests_per_minute,
        max_wait_s=settings.openai_max_wait_s,
    )
    provider = openai.Provider(
        api_key=key,
        base_url=settings.openai_base_url,
        timeout_s=settings.openai_timeout_s,
        connect_timeout_s=settings.openai_connect_timeout_s,
        max_retries=settings.openai_max_retries,
        gate=gate,
        prices=Prices(settings.openai_input_usd_per_million, settings.openai_output_usd_per_million),
    )
    chat_model = settings.openai_chat_model or settings.openai_model
    # Everything but new captions works without it, so the process stays ready and /readyz names it.
    runtime.health.add("openai", openai.make_probe(settings.openai_base_url, key, runtime.clock), required=False)
    return (
        openai.OpenAiWriter(provider, settings.openai_model),
        openai.OpenAiTalker(provider, chat_model, max_tokens=settings.chat_max_tokens),
        [provider.close],
    )


def main() -> None:
    """Be the prompt service."""
    run_service(PromptSettings, build, migrations="services.prompt:migrations")
