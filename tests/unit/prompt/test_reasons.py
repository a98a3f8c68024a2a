"""Reasons that no other test of the service meets."""

from __future__ import annotations

import pytest
from google.protobuf.struct_pb2 import Struct

from chassis.errors import FieldInvalid
from chassis.ids import new_uid
from services.prompt.api.messages import from_struct
from services.prompt.domain.artists import MemberNotFound
from services.prompt.domain.captions import CaptionNotFound
from tests.unit.prompt.house import House


def test_an_unknown_caption_is_not_found(nova: House) -> None:
    with pytest.raises(CaptionNotFound, match="artists/nova/captions/"):
        nova.captions().get("nova", new_uid())


def test_an_unknown_member_is_not_found(nova: House) -> None:
    with pytest.raises(MemberNotFound, match="artists/nova/members/"):
        nova.members.get("nova", new_uid())


def test_a_document_that_nests_without_end_names_its_field() -> None:
    document = Struct()
    inner = document
    for _ in range(70):
        inner = inner.fields["in"].struct_value
    inner.update({"at": "the bottom"})

    with pytest.raises(FieldInvalid, match="master_schema: expected at most 12 levels"):
        from_struct(document, "master_schema")
