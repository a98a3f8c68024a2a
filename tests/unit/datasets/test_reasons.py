"""Reasons that no other test of the service meets."""

from __future__ import annotations

import pytest

from chassis.ids import new_uid
from services.datasets.api.shared import parse_version
from services.datasets.domain.conversations import ConversationNotFound
from services.datasets.domain.items import CaptionRevisionNotFound
from services.datasets.domain.training_files import TrainingFile, TrainingFileNotFound, TrainingFileVersionNotFound
from services.datasets.use_cases.conversations import ConversationFacts
from services.datasets.use_cases.items import ItemFacts
from tests.unit.datasets.house import ARTIST, House, key
from tests.unit.datasets.test_training_files import TEXT


def test_a_caption_that_an_item_never_had_cannot_come_back(house: House) -> None:
    item = house.items.create(ARTIST, ItemFacts(caption="Warm pads. BPM: 92"), key())

    with pytest.raises(CaptionRevisionNotFound, match="no caption revision 7"):
        house.items.restore(ARTIST, item.uid, 7, "")

    assert house.items.get(ARTIST, item.uid).caption == item.caption


def test_an_unknown_conversation_is_not_found(house: House) -> None:
    with pytest.raises(ConversationNotFound, match="does not exist"):
        house.conversations.get(ARTIST, new_uid())


def test_an_unknown_training_file_is_not_found(house: House) -> None:
    with pytest.raises(TrainingFileNotFound, match="does not exist"):
        house.files.get(ARTIST, new_uid())


def test_a_version_that_a_training_file_never_had_is_not_found(house: House) -> None:
    conversation = house.conversations.create(ARTIST, ConversationFacts(document=TEXT), key())
    house.conversations.enrich(ARTIST, conversation.uid)
    file = TrainingFile(ARTIST, new_uid(), "Pilot", house.clock.now(), house.clock.now())
    house.files.create(file, "ada", [conversation.uid], key())
    house.work()

    with pytest.raises(TrainingFileVersionNotFound, match="no version 9"):
        house.files.version(ARTIST, file.uid, 9)


@pytest.mark.parametrize("number", ["0", "latest", "9" * 12])
def test_what_is_no_number_of_a_version_names_none(number: str) -> None:
    with pytest.raises(TrainingFileVersionNotFound, match="no version"):
        parse_version(f"artists/{ARTIST}/training-files/{new_uid()}/versions/{number}")
