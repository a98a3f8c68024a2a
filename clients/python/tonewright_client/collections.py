"""What every collection of resources can do: get, list, delete; and what long work can do: wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, cast

from tonewright_client.errors import ApiError, GatewayUnreachable, OperationFailed
from tonewright_client.models import Operation
from tonewright_client.transport import Json, Transport

Resource = TypeVar("Resource")
# Called with percent (0 to 100) and the stage's name as long work goes on.
OnProgress = Callable[[float, str], None]


class Collection(Generic[Resource]):
    """The resources of one kind that one artist has.

    A resource is named by its full name (`artists/ada/assets/…`), without the artist (`assets/…`), or by its last part.
    """

    COLLECTION = ""
    FIELD = ""

    def __init__(self, transport: Transport, artist: str) -> None:
        self._transport = transport
        self._artist = artist
        self._base = f"/v1/{artist}/{self.COLLECTION}"

    def path(self, name: str) -> str:
        """The path of a resource under the gateway."""
        return f"/v1/{self.full_name(name)}"

    def full_name(self, name: str) -> str:
        """The full name of a resource, however it is named."""
        if name.startswith("artists/"):
            return name
        return f"{self._artist}/{self.COLLECTION}/{name.removeprefix(f'{self.COLLECTION}/')}"

    def get(self, name: str) -> Resource:
        """One resource."""
        return cast(Resource, self._transport.get(self.path(name)))

    def list(self, **filters: str | int) -> Iterator[Resource]:
        """All of them, newest first, fetched page by page."""
        yield from self._transport.pages(self._base, self.FIELD, **filters)

    def delete(self, name: str, *, etag: str = "*") -> None:
        """Remove one; `*` removes it whatever state it is in."""
        self._transport.delete(self.path(name), etag=etag)

    def _create(self, body: Json, *, idempotency_key: str | None = None) -> Resource:
        return cast(Resource, self._transport.post(self._base, body, idempotency_key=idempotency_key))

    def _start(self, path: str, body: Json, *, idempotency_key: str | None = None) -> Operation:
        return cast(Operation, self._transport.post(path, body, idempotency_key=idempotency_key))


class Operations(Collection[Operation]):
    """Long work of one artist, whatever it makes."""

    COLLECTION = "operations"
    FIELD = "operations"

    def of(self, resource: str) -> Operation:
        """The operation that makes, or made, a resource: an export, a caption run, a training and so on."""
        collection, _, identity = resource.rpartition("/")
        return self.get(f"{collection.rpartition('/')[2]}-{identity}")

    def cancel(self, name: str) -> Operation:
        """Ask it to stop."""
        return cast(Operation, self._transport.post(f"{self.path(name)}:cancel"))

    def wait(self, operation: Operation, *, on_progress: OnProgress | None = None) -> Json:
        """The finished resource, once there is one; progress comes from the operation's events.

        A lost connection is taken up where it broke.

        Raises:
            OperationFailed: it ended as FAILED or CANCELLED.
        """
        name, last_id = operation["name"], ""
        broken = 0
        while not operation.get("done"):
            try:
                for identity, kind, data in self._transport.events(f"{self.path(name)}/events", last_event_id=last_id):
                    if kind == "error":  # the gateway lost the service for a moment; `get` waits for it or says why not
                        break
                    last_id, operation, broken = identity or last_id, cast(Operation, data), 0
                    _tell(operation, on_progress)
            except (GatewayUnreachable, ApiError) as fault:
                broken += 1
                if broken > 5 or (isinstance(fault, ApiError) and fault.status < 500):
                    raise
            if not operation.get("done"):
                operation = self.get(name)
        _tell(operation, on_progress)
        return _result(operation)


def _tell(operation: Operation, on_progress: OnProgress | None) -> None:
    if on_progress is not None:
        facts = operation["metadata"]
        on_progress(facts["progress_percent"], facts["stage"] or str(facts["state"]))


def _result(operation: Operation) -> Json:
    error, state = operation["error"], str(operation["metadata"]["state"])
    if error is not None or state in ("FAILED", "CANCELLED"):
        reason, message = (error["reason"], error["message"]) if error is not None else ("", "")
        raise OperationFailed(operation["name"], state, reason, message)
    return operation["response"] or {}
