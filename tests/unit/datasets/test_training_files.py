import hashlib
import json

import pytest

from chassis.errors import EtagMismatch, FieldInvalid, RequestIdReused
from chassis.ids import new_uid
from services.datasets.domain.conversations import (
    Context,
    Conversation,
    ConversationAlreadyEnriched,
    ConversationIdTaken,
    ConversationInUse,
    ConversationInvalid,
    ConversationNotEnriched,
    ConversationState,
    DocumentDamaged,
    DocumentKind,
    Persona,
)
from services.datasets.domain.exports import JobState
from services.datasets.domain.training_files import (
    ConversationsNotEligible,
    Finding,
    TrainingFile,
    TrainingFileBusy,
    TrainingFileNameTaken,
    TrainingFileNotBuilt,
    TrainingFileState,
    TrainingFileStateInvalid,
    Version,
)
from services.datasets.use_cases.conversations import ConversationFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.test_conversations_domain import document

TEXT = json.dumps(document())


def taken_in(house: House, *, persona: str = "steady_builder", **facts: object) -> Conversation:
    context = Context(persona=Persona(key=persona))
    return house.conversations.create(ARTIST, ConversationFacts(document=TEXT, context=context, **facts), key())  # type: ignore[arg-type]


def enriched(house: House, **facts: object) -> Conversation:
    return house.conversations.enrich(ARTIST, taken_in(house, **facts).uid)  # type: ignore[arg-type]


def file(house: House, name: str = "Pilot") -> TrainingFile:
    now = house.clock.now()
    return TrainingFile(ARTIST, new_uid(), name, now, now)


def built(house: House, *members: Conversation) -> TrainingFile:
    version = house.files.create(file(house), "ada", [member.uid for member in members], key())
    house.work()
    return house.files.get(ARTIST, version.training_file_uid)


def content(house: House, made: TrainingFile, suffix: str, sequence: int = 0) -> bytes:
    where = house.files.content(ARTIST, made.uid, sequence, suffix)
    data = house.objects.read_bytes(where.object_key, limit=10**6)
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (where.sha256, where.size_bytes)
    return data


def append(house: House, made: TrainingFile, *members: Conversation, request_id: str = "", etag: str = "") -> Version:
    uids = [member.uid for member in members]
    return house.files.append(ARTIST, made.uid, "ada", uids, key(request_id), etag=etag)


def test_a_conversation_goes_from_validated_to_completed(house: House) -> None:
    fresh = taken_in(house)

    done = house.conversations.enrich(ARTIST, fresh.uid)

    assert (fresh.state, fresh.document_kind) == (ConversationState.VALIDATED, DocumentKind.RAW)
    assert done.state == ConversationState.COMPLETED
    assert done.enrichment is not None
    assert (done.enrichment.pair_count, done.enrichment.trainable_pair_count) == (2, 1)
    assert house.conversations.get(ARTIST, fresh.uid) == done


def test_an_invalid_document_is_refused_with_every_blocker_and_leaves_nothing(house: House) -> None:
    with pytest.raises(ConversationInvalid) as caught:
        house.conversations.create(ARTIST, ConversationFacts(document='{"turns": []}'), key())

    assert [violation.field for violation in caught.value.violations] == ["conversation_metadata", "turns"]
    assert house.objects.objects == {}


def test_an_enriched_document_is_complete_at_once_and_keeps_its_id(house: House) -> None:
    source = enriched(house)
    assert source.enrichment is not None
    text = house.objects.read_bytes(source.enrichment.object_key, limit=10**6).decode()
    house.conversations.delete(ARTIST, source.uid, "")

    copy = house.conversations.create(ARTIST, ConversationFacts(document=text), key())

    assert (copy.state, copy.conversation_id) == (ConversationState.COMPLETED, source.conversation_id)
    with pytest.raises(ConversationAlreadyEnriched):
        house.conversations.enrich(ARTIST, copy.uid)
    with pytest.raises(ConversationIdTaken):
        house.conversations.create(ARTIST, ConversationFacts(document=text), key())


def test_same_request_id_takes_one_conversation_in(house: House) -> None:
    facts = ConversationFacts(document=TEXT)

    first, second = (house.conversations.create(ARTIST, facts, key("r1")) for _ in range(2))

    assert first == second
    assert len(house.objects.objects) == 1
    with pytest.raises(RequestIdReused):
        house.conversations.create(ARTIST, facts, key("r1", b"other"))


def test_new_context_asks_for_a_new_enrichment(house: House) -> None:
    done = enriched(house)

    changed = house.conversations.update(
        ARTIST, done.uid, ConversationFacts(context=Context(quality_score=4.8)), {"quality_score"}, done.etag
    )

    assert (changed.state, changed.enrichment) == (ConversationState.VALIDATED, None)
    again = house.conversations.enrich(ARTIST, done.uid).enrichment
    assert again is not None
    assert (again.score, again.quality_tier) == (4.8, "seed_dataset")


def test_enriching_again_without_a_change_changes_nothing(house: House) -> None:
    done = enriched(house)

    assert house.conversations.enrich(ARTIST, done.uid) == done


def test_documents_that_were_changed_behind_our_back_are_noticed(house: House) -> None:
    fresh = taken_in(house)
    house.objects.put(fresh.document_key, b"{}")

    with pytest.raises(DocumentDamaged):
        house.conversations.enrich(ARTIST, fresh.uid)


def test_a_document_that_does_not_exist_yet_is_not_offered(house: House) -> None:
    fresh = taken_in(house)

    with pytest.raises(ConversationNotEnriched):
        house.conversations.content(ARTIST, fresh.uid, DocumentKind.ENRICHED)


@pytest.mark.parametrize("given", ["nonsense", "3f6c1d528a414c0e9b7d51c2a9e40f11"])
def test_an_id_that_is_no_uuid_is_refused(house: House, given: str) -> None:
    with pytest.raises(FieldInvalid):
        taken_in(house, conversation_id=given)


def test_a_training_file_holds_the_conversations_in_the_order_named(house: House) -> None:
    members = [enriched(house) for _ in range(3)]

    made = built(house, *reversed(members))

    parsed = json.loads(content(house, made, "json"))
    ids = [one["conversation_metadata"]["conversation_id"] for one in parsed["conversations"]]
    assert ids == [member.conversation_id for member in reversed(members)]
    lines = [json.loads(line) for line in content(house, made, "jsonl").split(b"\n")]
    assert [line["conversation_id"] for line in lines] == ids
    assert len({line["id"] for line in lines}) == 3
    assert made.state == TrainingFileState.ACTIVE


def test_the_json_is_what_a_plain_serialiser_would_write(house: House) -> None:
    made = built(house, enriched(house), enriched(house))

    data = content(house, made, "json")

    assert json.dumps(json.loads(data), indent=2, ensure_ascii=False).encode() == data


def test_one_conversation_that_cannot_be_taken_refuses_all_of_them(house: House) -> None:
    good, raw = enriched(house), taken_in(house)
    uids = [good.uid, raw.uid, good.uid, "0" * 32]

    verdicts = house.files.preflight(ARTIST, "", uids)
    with pytest.raises(ConversationsNotEligible) as caught:
        house.files.create(file(house), "ada", uids, key())

    assert [verdict.finding for verdict in verdicts] == [
        Finding.ELIGIBLE,
        Finding.NOT_ENRICHED,
        Finding.DUPLICATE,
        Finding.NOT_FOUND,
    ]
    assert len(caught.value.violations) == 3
    assert house.files.page(ARTIST, state=None, size=0, token="").items == []


def test_preflight_looks_whether_the_document_is_there(house: House) -> None:
    member = enriched(house)
    assert member.enrichment is not None
    house.objects.delete(member.enrichment.json_key)

    assert house.files.preflight(ARTIST, "", [member.uid])[0].finding == Finding.MISSING_DOCUMENT


def test_an_append_is_a_new_version_and_the_old_one_stays(house: House) -> None:
    first, second = enriched(house), enriched(house, persona="night_owl")
    made = built(house, first)
    before = content(house, made, "json")

    append(house, made, second, etag=made.etag)
    house.work()

    now = house.files.get(ARTIST, made.uid)
    assert now.current is not None
    assert now.current.sequence == 2
    assert content(house, now, "json", sequence=1) == before
    assert len(json.loads(content(house, now, "json"))["conversations"]) == 2
    assert now.current.statistics is not None
    assert now.current.statistics.personas == {"night_owl": 1, "steady_builder": 1}
    with pytest.raises(EtagMismatch):
        append(house, made, enriched(house), etag=made.etag)


def test_a_member_is_not_taken_twice(house: House) -> None:
    member = enriched(house)
    made = built(house, member)

    with pytest.raises(ConversationsNotEligible):
        append(house, made, member)


def test_a_repeated_append_gives_the_build_of_the_first(house: House) -> None:
    made, member = built(house, enriched(house)), enriched(house)

    first = append(house, made, member, request_id="r1")
    house.work()
    second = append(house, made, member, request_id="r1")

    assert (second.uid, second.state) == (first.uid, JobState.SUCCEEDED)


def test_while_a_version_is_built_no_other_begins(house: House) -> None:
    made = built(house, enriched(house))
    append(house, made, enriched(house))

    with pytest.raises(TrainingFileBusy):
        append(house, made, enriched(house))
    with pytest.raises(TrainingFileBusy):
        house.files.delete(ARTIST, made.uid, "")


def test_a_failed_build_leaves_the_file_on_its_version_and_its_members_free(house: House) -> None:
    made, member = built(house, enriched(house)), enriched(house)
    assert member.enrichment is not None
    kept = house.objects.read_bytes(member.enrichment.json_key, limit=10**6)
    house.objects.delete(member.enrichment.json_key)
    failed = append(house, made, member)
    house.work()
    house.objects.put(member.enrichment.json_key, kept)

    append(house, made, member)
    house.work()

    version = house.files.build(ARTIST, failed.uid)
    assert (version.state, version.error_reason) == (JobState.FAILED, "DOCUMENT_DAMAGED")
    now = house.files.get(ARTIST, made.uid)
    assert now.current is not None
    assert now.current.sequence == 3
    assert len(json.loads(content(house, now, "json"))["conversations"]) == 2


def test_a_file_whose_first_build_failed_says_so(house: House) -> None:
    member = enriched(house)
    assert member.enrichment is not None
    house.objects.put(member.enrichment.jsonl_key, b"cut")

    made = built(house, member)

    assert made.state == TrainingFileState.FAILED
    assert house.files.page(ARTIST, state=TrainingFileState.FAILED, size=0, token="").items == [made]
    with pytest.raises(TrainingFileNotBuilt):
        house.files.content(ARTIST, made.uid, 0, "json")


def test_a_name_is_taken_once_without_regard_to_case(house: House) -> None:
    member = enriched(house)
    built(house, member)

    with pytest.raises(TrainingFileNameTaken):
        house.files.create(file(house, "pILOT "), "ada", [member.uid], key())


def test_an_archived_file_can_be_read_and_not_extended(house: House) -> None:
    made = built(house, enriched(house))

    archived = house.files.archive(ARTIST, made.uid, made.etag)

    assert archived.state == TrainingFileState.ARCHIVED
    assert content(house, archived, "json")
    with pytest.raises(TrainingFileStateInvalid):
        append(house, made, enriched(house))
    assert house.files.restore(ARTIST, made.uid, archived.etag).state == TrainingFileState.ACTIVE


def test_a_conversation_in_a_training_file_cannot_be_deleted(house: House) -> None:
    member = enriched(house)
    made = built(house, member)
    with pytest.raises(ConversationInUse):
        house.conversations.delete(ARTIST, member.uid, "")

    house.files.delete(ARTIST, made.uid, made.etag)
    house.conversations.delete(ARTIST, member.uid, member.etag)

    assert house.objects.objects == {}


def test_enriching_again_leaves_what_training_files_took(house: House) -> None:
    member = enriched(house)
    made = built(house, member)
    before = content(house, made, "json")
    house.conversations.update(
        ARTIST, member.uid, ConversationFacts(context=Context(quality_score=1.0)), {"quality_score"}, ""
    )
    house.conversations.enrich(ARTIST, member.uid)

    append(house, made, enriched(house))
    house.work()

    now = house.files.get(ARTIST, made.uid)
    first = json.loads(content(house, now, "json"))["conversations"][0]
    assert first == json.loads(before)["conversations"][0]


def test_creating_with_all_equals_creating_with_some_and_appending_the_rest(house: House) -> None:
    members = [enriched(house) for _ in range(3)]
    whole = built(house, *members)
    house.files.update(ARTIST, whole.uid, {"display_name": "Other"}, "")
    parts = built(house, members[0])
    append(house, parts, *members[1:])
    house.work()
    parts = house.files.get(ARTIST, parts.uid)

    assert content(house, parts, "jsonl") == content(house, whole, "jsonl")
    assert json.loads(content(house, parts, "json")) == json.loads(content(house, whole, "json"))


def test_members_come_in_pages_in_file_order(house: House) -> None:
    made = built(house, *(enriched(house) for _ in range(5)))

    first = house.files.member_page(ARTIST, made.uid, size=3, token="")
    second = house.files.member_page(ARTIST, made.uid, size=3, token=first.next_page_token)

    assert [member.position for member in (*first.items, *second.items)] == [1, 2, 3, 4, 5]
    assert second.next_page_token == ""
