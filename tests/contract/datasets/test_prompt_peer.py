"""The prompt service as datasets calls it, over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.channels import Channels
from chassis.errors import AppError, DependencyUnavailable, NotFound, ResourceExhausted, Unavailable
from chassis.runtime import App
from chassis.testing import Served, caller_for, grpc_server
from services.datasets.domain.captions import CaptionCheck, CaptionWish
from services.datasets.peers.captions import PromptCaptions
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

SET = "artists/nova/live-sets/s1"


class LiveSetGone(NotFound):
    REASON = "LIVE_SET_NOT_FOUND"


class ModelAway(Unavailable):
    REASON = "MODEL_AWAY"


class Prompt(prompt_pb2_grpc.PromptServiceServicer):
    """Answers as the prompt service does."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.wait_s = 0.0
        self.fault: Exception | None = None

    async def BatchCheckCaptions(self, request: pb.BatchCheckCaptionsRequest, context: Any) -> Any:
        await asyncio.sleep(self.wait_s)
        self.sizes.append(len(request.requests))
        if any(one.live_set not in ("", SET) for one in request.requests):
            raise LiveSetGone("gone")
        found = [
            pb.CheckCaptionResponse(
                text=one.text.strip(),
                violations=[pb.CaptionFinding(rule="P4", description="no tag")] * ("BPM" not in one.text),
                warnings=[pb.CaptionFinding(rule="P6", description=one.live_set)] * bool(one.live_set),
            )
            for one in request.requests
        ]
        return pb.BatchCheckCaptionsResponse(responses=found)

    async def GenerateCaption(self, request: pb.GenerateCaptionRequest, context: Any) -> pb.Caption:
        if self.fault is not None:
            raise self.fault
        caption = pb.Caption(name="artists/nova/captions/c1", text=f"{request.hint} BPM: {request.hints.tempo_bpm:g}")
        caption.provenance.MergeFrom(
            pb.Provenance(engine="openai", prompt_tokens=700, cost_usd_micros=90, raw_text="r")
        )
        return caption

    async def GetLiveSet(self, request: pb.GetLiveSetRequest, context: Any) -> pb.LiveSet:
        if request.name != SET:
            raise LiveSetGone("gone")
        return pb.LiveSet(name=SET, display_name="s", tempo_bpm=92, time_signature="4/4", key="B minor", sha256="ab")

    async def ListLiveSets(self, request: pb.ListLiveSetsRequest, context: Any) -> pb.ListLiveSetsResponse:
        start = int(request.page_token or 0)
        names = [f"artists/nova/live-sets/l{at}" for at in range(start, start + 3)]
        following = "" if start else "3"
        return pb.ListLiveSetsResponse(live_sets=[pb.LiveSet(name=name) for name in names], next_page_token=following)


@pytest.fixture
def prompt() -> Prompt:
    return Prompt()  # type: ignore[abstract]


@pytest.fixture
async def served(prompt: Prompt) -> AsyncIterator[Served]:
    app = App(servicers=[(prompt_pb2_grpc.add_PromptServiceServicer_to_server, prompt)])
    async with grpc_server(app, service="prompt", caller=caller_for(service="datasets")) as running:
        yield running


def captions_of(channels: Channels, **more: float) -> PromptCaptions:
    return PromptCaptions(channels, **more)


async def test_many_texts_are_asked_about_a_thousand_at_a_time(served: Served, prompt: Prompt) -> None:
    checks = [CaptionCheck(f"Text {at}. BPM: 90") for at in range(2300)]

    found = await asyncio.to_thread(captions_of(served.channels).batch_check, "nova", checks)

    assert [verdict.text for verdict in found] == [check.text for check in checks]
    assert prompt.sizes == [1000, 1000, 300]


async def test_long_texts_and_siblings_are_asked_about_in_questions_that_fit(served: Served, prompt: Prompt) -> None:
    siblings = tuple("ü" * 600 for _ in range(1000))
    checks = [CaptionCheck("Text. BPM: 90", siblings=siblings), CaptionCheck("ü" * 20_000, siblings=siblings)]

    found = await asyncio.to_thread(captions_of(served.channels).batch_check, "nova", checks)

    assert (len(found), prompt.sizes) == (2, [1, 1])
    assert len(found[1].text) == 10_000


async def test_texts_of_a_live_set_that_is_gone_are_checked_without_it(served: Served) -> None:
    checks = [CaptionCheck("a BPM: 90", SET), CaptionCheck("b", "artists/nova/live-sets/gone")]

    found = await asyncio.to_thread(captions_of(served.channels).batch_check, "nova", checks)

    assert [finding.reason for finding in found[0].warnings] == ["P6"]
    assert [finding.reason for finding in found[1].violations] == ["P4"]
    assert found[1].warnings == ()


async def test_a_service_that_does_not_answer_in_time_is_unavailable(served: Served, prompt: Prompt) -> None:
    prompt.wait_s = 5

    with pytest.raises(DependencyUnavailable, match="captions cannot be checked at the moment"):
        await asyncio.to_thread(captions_of(served.channels, check_s=0.1).batch_check, "nova", [CaptionCheck("a")])


async def test_a_service_that_is_away_is_unavailable(served: Served) -> None:
    await served.server.stop(None)

    with pytest.raises(DependencyUnavailable) as caught:
        await asyncio.to_thread(captions_of(served.channels, check_s=0.5).batch_check, "nova", [CaptionCheck("a")])

    assert caught.value.metadata["dependency"] == "prompt"
    assert caught.value.retry_after_s


async def test_a_written_caption_comes_with_its_provenance_and_cost(served: Served) -> None:
    wish = CaptionWish(tempo_bpm=92.5, hint="darker")

    made = await asyncio.to_thread(captions_of(served.channels).write, "nova", wish, "r1")

    assert (made.text, made.cost_usd_micros) == ("darker BPM: 92.5", 90)
    assert made.provenance["prompt_tokens"] == 700
    assert made.provenance["raw_text"] == "r"
    assert made.provenance["caption"] == "artists/nova/captions/c1"


@pytest.mark.parametrize("fault", [ResourceExhausted("slow", retry_after_s=7.0), ModelAway("away", retry_after_s=7.0)])
async def test_what_the_provider_wants_is_told_as_it_is(served: Served, prompt: Prompt, fault: Any) -> None:
    prompt.fault = fault

    with pytest.raises(AppError) as caught:
        await asyncio.to_thread(captions_of(served.channels).write, "nova", CaptionWish(), "r1")

    assert (caught.value.CODE, caught.value.reason, caught.value.retry_after_s) == (fault.CODE, fault.REASON, 7.0)


async def test_live_sets_are_read_by_name_and_by_page(served: Served) -> None:
    captions = captions_of(served.channels)

    found = await asyncio.to_thread(captions.live_sets, "nova", [SET, "artists/nova/live-sets/gone"])
    listed = await asyncio.to_thread(lambda: captions.all_live_sets("nova", limit=5))

    assert list(found) == [SET]
    assert (found[SET].tempo_bpm, found[SET].key) == (92.0, "B minor")
    assert [facts.name[-2:] for facts in listed] == ["l0", "l1", "l2", "l3", "l4"]
