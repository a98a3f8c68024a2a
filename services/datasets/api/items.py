"""Training items over gRPC."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty

from chassis.runtime import WorkPool
from services.datasets.api import item_messages as messages
from services.datasets.api.shared import artist_of, fields_of, key_of, last_of, part_key
from services.datasets.domain import items
from services.datasets.use_cases.items import EDITABLE, TrainingItems
from tonewright.datasets.v1 import datasets_pb2 as pb


class ItemRpcs:
    """The part of tonewright.datasets.v1.DatasetsService that is about training items."""

    _items: TrainingItems
    _pool: WorkPool

    async def CreateTrainingItem(self, request: pb.CreateTrainingItemRequest, context: Any) -> pb.TrainingItem:
        """A new item."""
        facts = messages.item_facts(request.training_item)
        key = key_of(request, "CreateTrainingItem")
        return messages.to_item(await self._pool.run(self._items.create, artist_of(request.parent), facts, key))

    async def BatchCreateTrainingItems(
        self, request: pb.BatchCreateTrainingItemsRequest, context: Any
    ) -> pb.BatchCreateTrainingItemsResponse:
        """Many new items; each succeeds or fails alone."""
        many = [messages.item_facts(item) for item in request.training_items]
        keys = [part_key(request, item, index) for index, item in enumerate(request.training_items)]
        outcomes = await self._pool.run(self._items.batch_create, artist_of(request.parent), many, keys)
        return pb.BatchCreateTrainingItemsResponse(results=[messages.to_result(outcome) for outcome in outcomes])

    async def GetTrainingItem(self, request: pb.GetTrainingItemRequest, context: Any) -> pb.TrainingItem:
        """One item."""
        return messages.to_item(await self._pool.run(self._items.get, *last_of(items.NAME, request.name)))

    async def ListTrainingItems(
        self, request: pb.ListTrainingItemsRequest, context: Any
    ) -> pb.ListTrainingItemsResponse:
        """Items, newest first."""
        page = await self._pool.run(
            self._items.page,
            artist_of(request.parent),
            messages.item_filter(request),
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListTrainingItemsResponse(
            training_items=[messages.to_item(item) for item in page.items], next_page_token=page.next_page_token
        )

    async def UpdateTrainingItem(self, request: pb.UpdateTrainingItemRequest, context: Any) -> pb.TrainingItem:
        """The item with the named fields changed."""
        given = request.training_item
        artist, uid = last_of(items.NAME, given.name, field="training_item.name")
        fields = fields_of(given, request.update_mask, EDITABLE)
        facts = messages.item_facts(given)
        return messages.to_item(await self._pool.run(self._items.update, artist, uid, facts, fields, given.etag))

    async def DeleteTrainingItem(self, request: pb.DeleteTrainingItemRequest, context: Any) -> Empty:
        """Remove an item."""
        await self._pool.run(self._items.delete, *last_of(items.NAME, request.name), request.etag)
        return Empty()

    async def FailTrainingItem(self, request: pb.FailTrainingItemRequest, context: Any) -> pb.TrainingItem:
        """The item marked as failed."""
        artist, uid = last_of(items.NAME, request.name)
        return messages.to_item(await self._pool.run(self._items.fail, artist, uid, request.failure, request.etag))

    async def RetryTrainingItem(self, request: pb.RetryTrainingItemRequest, context: Any) -> pb.TrainingItem:
        """A failed item back in use."""
        artist, uid = last_of(items.NAME, request.name)
        return messages.to_item(await self._pool.run(self._items.retry, artist, uid, request.etag))

    async def ListCaptionRevisions(
        self, request: pb.ListCaptionRevisionsRequest, context: Any
    ) -> pb.ListCaptionRevisionsResponse:
        """Captions of an item, newest first."""
        artist, uid = last_of(items.NAME, request.parent, field="parent")
        page = await self._pool.run(
            self._items.revisions, artist, uid, size=request.page_size, token=request.page_token
        )
        return pb.ListCaptionRevisionsResponse(
            caption_revisions=[messages.to_revision(revision) for revision in page.items],
            next_page_token=page.next_page_token,
        )

    async def RestoreCaptionRevision(self, request: pb.RestoreCaptionRevisionRequest, context: Any) -> pb.TrainingItem:
        """The item with an earlier caption again."""
        item_name, _, _ = request.name.partition("/caption-revisions/")
        _, number = last_of(items.REVISION_NAME, request.name)
        artist, uid = last_of(items.NAME, item_name)
        revision = int(number) if number.isdecimal() and len(number) < 9 else 0
        return messages.to_item(await self._pool.run(self._items.restore, artist, uid, revision, request.etag))
