from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from chassis.errors import FieldInvalid
from services.gateway import peers
from services.gateway.rest import fill, operation_to_rest, to_rest
from tonewright.operations.v1 import operations_pb2 as view
from tonewright.prompt.v1 import prompt_pb2
from tonewright.sessions.v1 import sessions_pb2
from tonewright.stems.v1 import stems_pb2


def separation() -> stems_pb2.Separation:
    found = stems_pb2.Separation(
        name="artists/nova/separations/1",
        stem_set=stems_pb2.STEM_SET_TWO_STEMS,
        output_format=stems_pb2.OUTPUT_FORMAT_FLAC_24,
        state=view.STATE_RUNNING,
        labels={"a": "b"},
    )
    found.eta.FromNanoseconds(2_500_000_000)
    found.create_time.FromDatetime(datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    found.parameters.seed = 2**53
    return found


def test_message_is_told_in_plain_json() -> None:
    told = to_rest(separation())

    assert told["name"] == "artists/nova/separations/1"
    assert (told["stem_set"], told["output_format"], told["state"]) == ("TWO_STEMS", "FLAC_24", "RUNNING")
    assert told["priority"] is None
    assert told["eta_s"] == 2.5
    assert told["create_time"] == "2026-01-02T03:04:05.000678Z"
    assert told["end_time"] is None
    assert told["labels"] == {"a": "b"}
    assert told["parameters"] == {"overlap": None, "shifts": 0, "seed": 2**53, "deterministic": False}
    assert told["stems"] == []


def test_where_objects_lie_is_not_told() -> None:
    assert "blob_key" not in to_rest(prompt_pb2.LiveSet(blob_key="artists/nova/x"))


def test_json_comes_back_as_the_same_message() -> None:
    message = separation()
    told = to_rest(message)

    back = stems_pb2.Separation()
    fill(back, {**told, "create_time": datetime.fromisoformat(told["create_time"])})

    assert back == message


def test_struct_keeps_integers_and_nesting() -> None:
    session = sessions_pb2.Session()

    fill(session, {"snapshot": {"tempo": 124, "gain": 0.5, "list": [1, None, {"deep": True}], "none": None}})

    assert to_rest(session)["snapshot"] == {"tempo": 124, "gain": 0.5, "list": [1, None, {"deep": True}], "none": None}


@pytest.mark.parametrize(
    ("message", "values", "field"),
    [
        (stems_pb2.Separation(), {"stem_set": "THREE"}, "stem_set"),
        (stems_pb2.Separation(), {"asset": "a\x00b"}, "asset"),
        (stems_pb2.Separation(), {"asset": "\ud800"}, "asset"),
        (stems_pb2.Separation(), {"labels": {"a": "\udfff"}}, "labels"),
        (stems_pb2.Separation(), {"parameters": {"shifts": 2**40}}, "parameters.shifts"),
        (stems_pb2.Separation(), {"wanted_stems": ["ok", "\x00"]}, "wanted_stems[1]"),
        (sessions_pb2.Session(), {"snapshot": {"a": float("nan")}}, "snapshot"),
        (sessions_pb2.Session(), {"snapshot": {"a": [["\x00"]]}}, "snapshot"),
    ],
)
def test_value_that_no_field_can_hold_is_refused(message: Message, values: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldInvalid) as raised:
        fill(message, values)

    assert [violation.field for violation in raised.value.violations] == [field]


def test_nesting_has_an_end() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"deeper": deep}

    with pytest.raises(FieldInvalid, match="levels"):
        fill(sessions_pb2.Session(), {"snapshot": deep})


def test_finished_operation_carries_its_resource() -> None:
    operation = operations_pb2.Operation(name="artists/nova/operations/separations-1", done=True)
    operation.metadata.Pack(view.OperationMetadata(state=view.STATE_SUCCEEDED, progress_percent=100))
    operation.response.Pack(separation())

    told = operation_to_rest(operation)

    assert (told["done"], told["metadata"]["state"], told["error"]) == (True, "SUCCEEDED", None)
    assert told["response"]["name"] == "artists/nova/separations/1"


def test_failed_operation_carries_its_reason() -> None:
    operation = operations_pb2.Operation(done=True)
    operation.error.code, operation.error.message = 9, "the asset holds no frames"
    operation.error.details.add().Pack(error_details_pb2.ErrorInfo(reason="SEPARATION_INPUT_EMPTY", domain="stems"))

    error = operation_to_rest(operation)["error"]

    assert error == {
        "code": "FAILED_PRECONDITION",
        "reason": "SEPARATION_INPUT_EMPTY",
        "domain": "stems",
        "message": "the asset holds no frames",
        "metadata": {},
    }


@pytest.mark.parametrize("api", peers.APIS, ids=lambda api: str(api.descriptor.name))
def test_every_message_has_a_plan_that_its_model_knows(api: peers.Api) -> None:
    for method in api.descriptor.methods:
        short = "".join(method.output_type.full_name.split(".")[3:])
        model = getattr(api.models, short, None)
        if model is None:
            continue

        from google.protobuf import message_factory

        told = to_rest(message_factory.GetMessageClass(method.output_type)())

        assert set(told) == set(model.model_fields), method.name
