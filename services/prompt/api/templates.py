"""Prompt templates over gRPC."""

from __future__ import annotations

from typing import Any

from chassis.context import caller
from services.prompt.api.messages import TEMPLATE, artist_in, ids_in, time_of
from services.prompt.domain.ports import Run
from services.prompt.domain.templates import PromptTemplate, State
from services.prompt.use_cases.templates import NewTemplate, Templates
from tonewright.prompt.v1 import prompt_pb2 as pb
from tonewright.prompt.v1 import prompt_pb2_grpc

_STATES = {
    State.DRAFT: pb.PromptTemplate.STATE_DRAFT,
    State.APPROVED: pb.PromptTemplate.STATE_APPROVED,
    State.RETIRED: pb.PromptTemplate.STATE_RETIRED,
}


# So many templates of 20,000 characters fit into a message.
_MOST = 40


class TemplateMethods(prompt_pb2_grpc.PromptServiceServicer):
    """The part of the service that keeps prompt templates."""

    _templates: Templates
    _run: Run

    async def CreatePromptTemplate(self, request: pb.CreatePromptTemplateRequest, context: Any) -> pb.PromptTemplate:
        """A new draft."""
        asked = request.prompt_template
        new = NewTemplate(
            version=request.prompt_template_id,
            display_name=asked.display_name,
            instruction=asked.instruction,
            temperature=asked.temperature if asked.HasField("temperature") else 0.7,
            max_tokens=asked.max_tokens or 300,
            request_id=request.request_id,
        )
        artist = artist_in(request.parent, "parent")
        return template_message(await self._run(self._templates.create, caller(), artist, new))

    async def GetPromptTemplate(self, request: pb.GetPromptTemplateRequest, context: Any) -> pb.PromptTemplate:
        """One template."""
        return template_message(await self._run(self._templates.get, *ids_in(TEMPLATE, request.name)))

    async def ListPromptTemplates(
        self, request: pb.ListPromptTemplatesRequest, context: Any
    ) -> pb.ListPromptTemplatesResponse:
        """The artist's own templates and the built-in ones."""
        artist = artist_in(request.parent, "parent")
        size = min(request.page_size or _MOST, _MOST)
        page = await self._run(self._templates.list, artist, size, request.page_token)
        found = [template_message(template) for template in page.items]
        return pb.ListPromptTemplatesResponse(prompt_templates=found, next_page_token=page.next_page_token)

    async def ApprovePromptTemplate(self, request: pb.ApprovePromptTemplateRequest, context: Any) -> pb.PromptTemplate:
        """The template, approved."""
        ids = ids_in(TEMPLATE, request.name)
        return template_message(await self._run(self._templates.approve, caller(), *ids, request.etag))

    async def RetirePromptTemplate(self, request: pb.RetirePromptTemplateRequest, context: Any) -> pb.PromptTemplate:
        """The template, out of use."""
        return template_message(await self._run(self._templates.retire, *ids_in(TEMPLATE, request.name), request.etag))

    async def DeletePromptTemplate(
        self, request: pb.DeletePromptTemplateRequest, context: Any
    ) -> pb.DeletePromptTemplateResponse:
        """Nothing; the template is gone."""
        await self._run(self._templates.delete, *ids_in(TEMPLATE, request.name))
        return pb.DeletePromptTemplateResponse()


def template_message(template: PromptTemplate) -> pb.PromptTemplate:
    """The template as a message."""
    return pb.PromptTemplate(
        name=template.name,
        display_name=template.display_name,
        instruction=template.instruction,
        temperature=template.temperature,
        create_time=time_of(template.create_time),
        etag=template.etag,
        state=_STATES[template.state],
        creator=template.creator,
        approver=template.approver,
        approve_time=time_of(template.approve_time),
        instruction_sha256=template.instruction_sha256,
        max_tokens=template.max_tokens,
        built_in=template.built_in,
    )
