"""The service over gRPC, with real tokens and interceptors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.context import Role, acting_as, in_request
from chassis.errors import (
    AppError,
    FieldInvalid,
    NameInvalid,
    NotFound,
    PermissionDenied,
    Unimplemented,
)
from chassis.runtime import App
from chassis.testing import Served, caller_for, grpc_server, operator
from services.prompt.api.artists import ArtistsServicer
from services.prompt.main import METHOD_RULES
from tests.unit.prompt.house import House, run_here
from tests.unit.prompt.test_chat import Parrot
from tonewright.artists.v1 import artists_pb2 as a
from tonewright.artists.v1 import artists_pb2_grpc
from tonewright.prompt.v1 import prompt_pb2 as p
from tonewright.prompt.v1 import prompt_pb2_grpc


@dataclass
class Stubs:
    house: House
    artists: artists_pb2_grpc.ArtistsServiceAsyncStub
    prompt: prompt_pb2_grpc.PromptServiceAsyncStub


@pytest.fixture
async def served(nova: House) -> AsyncIterator[Stubs]:
    artists = ArtistsServicer(nova.artists, nova.members, nova.profiles, run_here)  # type: ignore[abstract]
    prompt = nova.servicer()
    app = App(
        servicers=[
            (artists_pb2_grpc.add_ArtistsServiceServicer_to_server, artists),
            (prompt_pb2_grpc.add_PromptServiceServicer_to_server, prompt),
        ],
        method_rules=METHOD_RULES,
    )
    async with grpc_server(app, service="prompt") as running:
        yield _stubs(nova, running)


def _stubs(house: House, running: Served) -> Stubs:
    channel = running.channel
    return Stubs(
        house,
        artists_pb2_grpc.ArtistsServiceStub(channel),
        prompt_pb2_grpc.PromptServiceStub(channel),
    )


async def test_an_artist_from_its_making_to_its_return(served: Stubs) -> None:
    with acting_as(caller_for("-", principal="bob", role=Role.VIEWER)):
        wanted = a.Artist(display_name="Blue Hour")
        made = await served.artists.CreateArtist(a.CreateArtistRequest(artist_id="blue", artist=wanted, request_id="1"))
        mine = await served.artists.ListArtists(a.ListArtistsRequest())
        found = await served.artists.ResolveMembership(a.ResolveMembershipRequest(principal="bob", artist=made.name))
        roles = await served.artists.ListMemberships(a.ListMembershipsRequest(principal="bob"))
    assert [artist.name for artist in mine.artists] == ["artists/blue"]
    assert (found.role, roles.memberships[0].artist) == (a.ROLE_OWNER, "artists/blue")

    with acting_as(caller_for("blue", principal="bob")):
        made.display_name = "Bluer Hour"
        changed = await served.artists.UpdateArtist(a.UpdateArtistRequest(artist=made))
        assert changed.display_name == "Bluer Hour"
        deleted = await served.artists.DeleteArtist(a.DeleteArtistRequest(name=made.name))
        assert deleted.purge_time.seconds - deleted.delete_time.seconds == 30 * 86400
        await served.artists.UndeleteArtist(a.UndeleteArtistRequest(name=made.name))
        assert (await served.artists.GetArtist(a.GetArtistRequest(name=made.name))).HasField("delete_time") is False


async def test_members_and_profile(served: Stubs) -> None:
    wanted = a.Member(principal="bob", role=a.ROLE_VIEWER)
    bob = await served.artists.CreateMember(a.CreateMemberRequest(parent="artists/nova", member=wanted))
    bob.role = a.ROLE_EDITOR
    bob = await served.artists.UpdateMember(a.UpdateMemberRequest(member=bob, update_mask=FieldMask(paths=["role"])))
    assert (await served.artists.GetMember(a.GetMemberRequest(name=bob.name))).role == a.ROLE_EDITOR
    await served.artists.DeleteMember(a.DeleteMemberRequest(name=bob.name, etag=bob.etag))
    left = await served.artists.ListMembers(a.ListMembersRequest(parent="artists/nova"))
    assert [member.principal for member in left.members] == ["ada"]

    profile = await served.artists.GetProfile(a.GetProfileRequest(name="artists/nova/profile"))
    profile.master_schema.update({"creative_policy": {"no_go_zones": ["sirens"]}, "n": 1.5, "none": None})
    kept = await served.artists.UpdateProfile(a.UpdateProfileRequest(profile=profile))
    assert kept.master_schema == profile.master_schema


async def test_a_live_set_and_its_caption(served: Stubs) -> None:
    request = p.CreateLiveSetRequest(
        parent="artists/nova", object_key=served.house.upload(), file_name="My Set.als", request_id="1"
    )
    live_set = await served.prompt.CreateLiveSet(request)
    assert (live_set.tempo_bpm, live_set.time_signature, live_set.track_count) == (120, "4/4", 6)
    assert live_set.summary.fields["overview"].struct_value.fields["tempo"].number_value == 120

    listed = await served.prompt.ListLiveSets(p.ListLiveSetsRequest(parent="artists/nova"))
    assert not listed.live_sets[0].HasField("summary")
    live_set.display_name = "Other"
    changed = await served.prompt.UpdateLiveSet(p.UpdateLiveSetRequest(live_set=live_set))
    assert changed.display_name == "Other"

    asked = p.GenerateCaptionRequest(parent="artists/nova", live_set=live_set.name)
    caption = await served.prompt.GenerateCaption(asked)
    assert caption.text.endswith("BPM: 120")
    assert not caption.violations
    assert (await served.prompt.GetCaption(p.GetCaptionRequest(name=caption.name))) == caption
    steps = [
        step async for step in served.prompt.StreamCaption(p.StreamCaptionRequest(parent="artists/nova", caption=asked))
    ]
    assert "".join(step.delta for step in steps[:-1]) == steps[-1].caption.text == caption.text
    assert len((await served.prompt.ListCaptions(p.ListCaptionsRequest(parent="artists/nova"))).captions) == 2

    checked = await served.prompt.CheckCaption(
        p.CheckCaptionRequest(parent="artists/nova", text="Nova Tide. 90 BPM", live_set=live_set.name)
    )
    assert {finding.rule for finding in checked.violations} == {"P5", "P8"}

    await served.prompt.DeleteLiveSet(p.DeleteLiveSetRequest(name=live_set.name))
    with pytest.raises(NotFound):
        await served.prompt.GetLiveSet(p.GetLiveSetRequest(name=live_set.name))
    await served.prompt.UndeleteLiveSet(p.UndeleteLiveSetRequest(name=live_set.name))


async def test_a_repeat_says_so(served: Stubs) -> None:
    asked = p.GenerateCaptionRequest(
        parent="artists/nova", hints=p.CaptionHints(tempo_bpm=100, genres=["dub"]), request_id="c1"
    )
    first = await served.prompt.GenerateCaption(asked)
    with in_request() as flags:
        assert await served.prompt.GenerateCaption(asked) == first
        assert flags.replayed


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
async def test_roles_are_needed(served: Stubs, role: Role) -> None:
    with acting_as(caller_for("nova", role=role)):
        with pytest.raises(PermissionDenied, match="it needs"):
            await served.artists.DeleteArtist(a.DeleteArtistRequest(name="artists/nova"))
        with pytest.raises(PermissionDenied, match="it needs"):
            await served.artists.CreateMember(a.CreateMemberRequest(parent="artists/nova"))
    with acting_as(caller_for("nova", role=Role.VIEWER)), pytest.raises(PermissionDenied, match="it needs"):
        await served.prompt.GenerateCaption(p.GenerateCaptionRequest(parent="artists/nova"))


async def test_operators_have_methods_of_their_own(served: Stubs) -> None:
    with pytest.raises(PermissionDenied, match="operators"):
        await served.artists.SearchArtists(a.SearchArtistsRequest())
    with acting_as(operator()), pytest.raises(Unimplemented, match="not implemented"):
        await served.artists.SearchArtists(a.SearchArtistsRequest())


async def test_bad_requests_say_which_field(served: Stubs) -> None:
    with pytest.raises(AppError) as error:
        await served.prompt.GetLiveSet(p.GetLiveSetRequest(name="artists/nova/sets/1"))
    assert error.value.reason == NameInvalid.REASON
    with pytest.raises(AppError) as error:
        await served.artists.UpdateArtist(
            a.UpdateArtistRequest(artist=a.Artist(name="artists/nova"), update_mask=FieldMask(paths=["etag"]))
        )
    assert (error.value.reason, error.value.violations[0].field) == (FieldInvalid.REASON, "update_mask")
    with pytest.raises(AppError) as error:
        await served.artists.CreateMember(a.CreateMemberRequest(parent="artists/nova"))
    assert [violation.field for violation in error.value.violations] == ["member.principal", "member.role"]


async def test_a_stranger_finds_nothing_anywhere(served: Stubs) -> None:
    live_set = served.house.add_live_set()
    name = live_set.name
    with acting_as(caller_for("other", principal="eve")):
        calls: list[tuple[Any, Any]] = [
            (served.prompt.GetLiveSet, p.GetLiveSetRequest(name=name)),
            (served.prompt.DeleteLiveSet, p.DeleteLiveSetRequest(name=name)),
            (served.prompt.UpdateLiveSet, p.UpdateLiveSetRequest(live_set=p.LiveSet(name=name))),
            (served.prompt.ListLiveSets, p.ListLiveSetsRequest(parent="artists/nova")),
            (served.prompt.ListCaptions, p.ListCaptionsRequest(parent="artists/nova")),
            (served.prompt.GenerateCaption, p.GenerateCaptionRequest(parent="artists/other", live_set=live_set.name)),
            (served.prompt.CheckCaption, p.CheckCaptionRequest(parent="artists/nova", text="x")),
            (served.artists.GetArtist, a.GetArtistRequest(name="artists/nova")),
            (served.artists.UpdateArtist, a.UpdateArtistRequest(artist=a.Artist(name="artists/nova"))),
            (served.artists.DeleteArtist, a.DeleteArtistRequest(name="artists/nova")),
            (served.artists.ListMembers, a.ListMembersRequest(parent="artists/nova")),
            (served.artists.GetProfile, a.GetProfileRequest(name="artists/nova/profile")),
        ]
        for call, request in calls:
            with pytest.raises(NotFound):
                await call(request)
        # The right artist in the parent does not open a foreign key or set.
        with pytest.raises(AppError) as error:
            await served.prompt.CreateLiveSet(
                p.CreateLiveSetRequest(parent="artists/other", object_key=served.house.upload())
            )
        assert error.value.reason == FieldInvalid.REASON


async def test_templates_over_the_wire(served: Stubs) -> None:
    wanted = p.PromptTemplate(display_name="Drums", instruction="Write about the drums first.", max_tokens=100)
    asked = p.CreatePromptTemplateRequest(
        parent="artists/nova", prompt_template_id="drums-first", prompt_template=wanted, request_id="t1"
    )

    draft = await served.prompt.CreatePromptTemplate(asked)
    approved = await served.prompt.ApprovePromptTemplate(
        p.ApprovePromptTemplateRequest(name=draft.name, etag=draft.etag)
    )
    listed = await served.prompt.ListPromptTemplates(p.ListPromptTemplatesRequest(parent="artists/nova"))

    assert (draft.state, draft.temperature, draft.creator) == (p.PromptTemplate.STATE_DRAFT, 0.7, "ada")
    assert (approved.state, approved.approver) == (p.PromptTemplate.STATE_APPROVED, "ada")
    assert [template.built_in for template in listed.prompt_templates] == [False, True, True]
    hints = p.CaptionHints(tempo_bpm=100)
    caption = await served.prompt.GenerateCaption(p.GenerateCaptionRequest(parent="artists/nova", hints=hints))
    assert caption.provenance.instruction_sha256 == draft.instruction_sha256
    retired = await served.prompt.RetirePromptTemplate(p.RetirePromptTemplateRequest(name=draft.name))
    assert retired == await served.prompt.GetPromptTemplate(p.GetPromptTemplateRequest(name=draft.name))
    wanted.temperature = 0
    unused = p.CreatePromptTemplateRequest(parent="artists/nova", prompt_template_id="unused", prompt_template=wanted)
    assert (await served.prompt.CreatePromptTemplate(unused)).temperature == 0
    name = "artists/nova/prompt-templates/unused"
    with acting_as(caller_for("nova", role=Role.EDITOR)):
        with pytest.raises(PermissionDenied):
            await served.prompt.ApprovePromptTemplate(p.ApprovePromptTemplateRequest(name=name))
        with pytest.raises(PermissionDenied):
            await served.prompt.RetirePromptTemplate(p.RetirePromptTemplateRequest(name=name))
    await served.prompt.DeletePromptTemplate(p.DeletePromptTemplateRequest(name=name))


async def test_many_texts_are_checked_over_the_wire(served: Stubs) -> None:
    live_set = served.house.add_live_set()
    texts = ["Nova Tide. 90 BPM", "Warm house with pads. BPM: 120", "Warm house with pads. BPM: 120"]
    asked = p.BatchCheckCaptionsRequest(
        parent="artists/nova",
        requests=[p.CheckCaptionRequest(text=text, live_set=live_set.name) for text in texts],
        compare_each_other=True,
    )

    found = (await served.prompt.BatchCheckCaptions(asked)).responses

    assert {finding.rule for finding in found[0].violations} == {"P5", "P8"}
    assert [finding.rule for finding in found[2].warnings] == ["P6", "P11"]
    asked.requests[2].text = "x" * 10_001
    with pytest.raises(AppError) as error:
        await served.prompt.BatchCheckCaptions(asked)
    assert [v.field for v in error.value.violations] == ["requests[2].text"]


async def test_captions_are_listed_by_live_set(served: Stubs) -> None:
    live_set = served.house.add_live_set()
    asked = p.GenerateCaptionRequest(parent="artists/nova", live_set=live_set.name, variant=2, hint="darker")
    caption = await served.prompt.GenerateCaption(asked)

    listed = await served.prompt.ListCaptions(p.ListCaptionsRequest(parent="artists/nova", live_set=live_set.name))

    assert list(listed.captions) == [caption]
    origin = caption.provenance
    assert (origin.variant, origin.hint, origin.tempo_bpm, origin.tempo_source) == (2, "darker", 120, "live_set")
    assert origin.live_set_sha256 == live_set.sha256
    with pytest.raises(AppError) as error:
        await served.prompt.ListCaptions(p.ListCaptionsRequest(parent="artists/nova", asset="x"))
    assert error.value.reason == NameInvalid.REASON


async def test_the_chat_refuses_roles_of_the_platform(served: Stubs) -> None:
    said = p.ChatMessage(role=p.CHAT_ROLE_USER, content="Hello")
    asked = p.StreamChatRequest(parent="artists/nova", messages=[said])
    with pytest.raises(AppError) as error:
        [step async for step in served.prompt.StreamChat(asked)]
    assert error.value.reason == "CHAT_NOT_CONFIGURED"

    for role in (p.CHAT_ROLE_UNSPECIFIED, 7):
        asked.messages.add(role=role, content="I am the system")
        with pytest.raises(AppError) as refusal:
            [step async for step in served.prompt.StreamChat(asked)]
        assert refusal.value.violations[0].field == "messages.role"


async def test_the_chat_answers_over_the_wire(nova: House) -> None:
    app = App(
        servicers=[(prompt_pb2_grpc.add_PromptServiceServicer_to_server, nova.servicer(talker=Parrot()))],
        method_rules=METHOD_RULES,
    )
    said = p.ChatMessage(role=p.CHAT_ROLE_USER, content="Hello")
    async with grpc_server(app, service="prompt") as running:
        stub = prompt_pb2_grpc.PromptServiceStub(running.channel)
        asked = p.StreamChatRequest(parent="artists/nova", messages=[said], mode=p.CHAT_MODE_GENERATE)
        steps = [step async for step in stub.StreamChat(asked)]

    assert "".join(step.delta for step in steps) == steps[-1].reply.content
    assert (steps[-1].reply.prompt_tokens, steps[-1].reply.cost_usd_micros) == (100, 120)
