"""What the JSON shapes have in common."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

Int32 = Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[StrictInt, Field(ge=-(2**63), le=2**63 - 1)]
Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Text = StrictStr
Flag = StrictBool
Time = AwareDatetime
Json = Any
Object = dict[str, Any]


class Out(BaseModel):
    """Something the platform tells."""

    model_config = ConfigDict(extra="allow")


class In(BaseModel):
    """Something a caller sends; members that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class StatusOut(Out):
    """An error inside a result."""

    code: str = Field(description="gRPC code.", examples=["FAILED_PRECONDITION"])
    reason: str = Field(description="Stable reason of docs/contracts.md.", examples=["SEPARATION_INPUT_EMPTY"])
    domain: str = Field(description="The service that says so.", examples=["stems.tonewright.dev"])
    message: str = Field(description="What was wrong and what to do.", examples=["the asset holds no frames"])
    metadata: dict[str, str] = Field(description="Facts a program can read.", examples=[{}])


class ProblemError(Out):
    """One field that breaks a rule."""

    field: str = Field(description="Path of the member; `query.x` for parameters.", examples=["display_name"])
    description: str = Field(description="The rule.", examples=["1 to 200 characters"])


class Problem(Out):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(
        description="Link to the reason's documentation.",
        examples=["https://tonewright.dev/docs/contracts#field_invalid"],
    )
    title: str = Field(description="The reason in words.", examples=["Field invalid"])
    status: int = Field(description="The HTTP status.", examples=[400])
    detail: str = Field(
        description="What was wrong and what to do.", examples=["display_name: expected 1 to 200 characters"]
    )
    reason: str = Field(description="Stable reason of docs/contracts.md.", examples=["FIELD_INVALID"])
    domain: str = Field(description="The service that says so.", examples=["sessions.tonewright.dev"])
    request_id: str = Field(description="Leads to the logs.", examples=["0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"])
    error_id: str | None = Field(default=None, description="Leads to the cause of a fault; only for faults.")
    metadata: dict[str, str] = Field(description="Facts a program can read.", examples=[{}])
    errors: list[ProblemError] = Field(
        description="Every field that breaks a rule.",
        examples=[[{"field": "display_name", "description": "1 to 200 characters"}]],
    )


class OperationState(StrEnum):
    """The state of a piece of long work."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class OperationMetadataOut(Out):
    """What a piece of long work says of itself."""

    target: str = Field(
        description="Name of the resource that the work makes.",
        examples=["artists/nova/separations/0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    state: OperationState | None = Field(description="Where it stands.", examples=["SUCCEEDED"])
    progress_percent: float = Field(description="Share done, 0 to 100.", examples=[100.0])
    stage: str = Field(description="What is being done now; empty while queued.", examples=["encoding"])
    eta_s: float | None = Field(description="Seconds left as estimated; null when unknown.", examples=[12.5])
    create_time: Time | None = Field(description="When it was asked for.", examples=["2026-11-21T10:00:00.000000Z"])
    update_time: Time | None = Field(description="When it last changed.", examples=["2026-11-21T10:00:09.000000Z"])
    end_time: Time | None = Field(description="When it ended; null before.", examples=["2026-11-21T10:00:09.000000Z"])
    attempt: int = Field(description="How often it was started.", examples=[1])


class OperationOut(Out):
    """A piece of long work: a view of the resource that it makes."""

    name: str = Field(
        description="`artists/{artist}/operations/{operation}`.",
        examples=["artists/nova/operations/separations-0193f1c2d3e47a5b8c9d0e1f2a3b4c5d"],
    )
    done: bool = Field(description="Whether it has ended.", examples=[True])
    metadata: OperationMetadataOut = Field(description="What the work says of itself.")
    response: Object | None = Field(description="The finished resource; null until there is one.", examples=[{}])
    error: StatusOut | None = Field(description="Why it failed; null otherwise.")


class OperationsOut(Out):
    """One page of operations."""

    operations: list[OperationOut] = Field(description="Newest first within each service.")
    next_page_token: str = Field(description="Asks for the page after this one; empty on the last.", examples=[""])
