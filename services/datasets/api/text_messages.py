"""The text side's messages to domain values and back."""

from __future__ import annotations

from chassis.errors import AppError, require
from services.datasets.api.shared import (
    enum_value,
    failure,
    last_of,
    moment_of,
    plain_struct,
    plain_value,
    stamp,
    status_of,
    struct_of,
)
from services.datasets.domain import conversations
from services.datasets.domain.conversations import (
    Context,
    Conversation,
    ConversationState,
    DocumentKind,
    EmotionalArc,
    Persona,
    PromptTemplate,
    ReviewState,
    TrainingTopic,
)
from services.datasets.domain.training_files import (
    Member,
    Statistics,
    TrainingFile,
    TrainingFileState,
    Verdict,
    Version,
)
from services.datasets.domain.validation import Issue, Report
from services.datasets.use_cases.conversations import Content, ConversationFacts
from tonewright.datasets.v1 import training_files_pb2 as pb


def conversation_facts(message: pb.Conversation) -> ConversationFacts:
    """What a caller says of a conversation."""
    kind = document_kind(message.document_kind)
    review = enum_value(pb.Conversation.ReviewState, message.review_state, "REVIEW_STATE_", "conversation.review_state")
    return ConversationFacts(
        conversation_id=message.conversation_id,
        display_name=message.display_name,
        document=message.document,
        document_kind=kind,
        context=_context(message),
        review_state=ReviewState(review or "PENDING"),
        batch=message.batch,
        generate_time=moment_of(message, "generate_time"),
    )


def _context(message: pb.Conversation) -> Context:
    persona, arc, topic, template = (
        message.persona,
        message.emotional_arc,
        message.training_topic,
        message.template,
    )
    return Context(
        persona=Persona(
            persona.key,
            persona.display_name,
            persona.archetype,
            plain_value(persona.demographics) if persona.HasField("demographics") else None,
            plain_value(persona.background) if persona.HasField("background") else None,
        ),
        emotional_arc=EmotionalArc(arc.key, arc.display_name, arc.starting_emotion, arc.ending_emotion),
        training_topic=TrainingTopic(topic.key, topic.display_name, topic.complexity_level),
        template=PromptTemplate(template.display_name, template.category, tuple(template.skills))
        if message.HasField("template")
        else None,
        system_prompt=message.system_prompt,
        profile=plain_struct(message, "profile"),
        quality_score=message.quality_score if message.HasField("quality_score") else None,
    )


def to_conversation(found: Conversation) -> pb.Conversation:
    """The conversation as a message, without its documents."""
    context, made = found.context, found.enrichment
    message = pb.Conversation(
        name=found.name,
        conversation_id=found.conversation_id,
        display_name=found.display_name,
        document_kind=pb.Conversation.DocumentKind.Value(f"DOCUMENT_KIND_{found.document_kind.value}"),
        persona=_to_persona(context.persona) if context.persona != Persona() else None,
        emotional_arc=_to_arc(context.emotional_arc) if context.emotional_arc != EmotionalArc() else None,
        training_topic=_to_topic(context.training_topic) if context.training_topic != TrainingTopic() else None,
        template=_to_template(context.template) if context.template else None,
        system_prompt=context.system_prompt,
        profile=struct_of(context.profile) if context.profile else None,
        quality_score=context.quality_score,
        review_state=pb.Conversation.ReviewState.Value(f"REVIEW_STATE_{found.review_state.value}"),
        batch=found.batch,
        generate_time=stamp(found.generate_time),
        state=pb.Conversation.State.Value(f"STATE_{found.state.value}"),
        validation_report=to_report(found.report),
        turn_count=found.turn_count,
        create_time=stamp(found.create_time),
        update_time=stamp(found.update_time),
        etag=found.etag,
    )
    if made is not None:
        message.pair_count, message.trainable_pair_count = made.pair_count, made.trainable_pair_count
        message.quality_tier = made.quality_tier
        message.enriched_sha256, message.enriched_size_bytes = made.sha256, made.size_bytes
    return message


def to_result(outcome: Conversation | AppError) -> pb.ConversationResult:
    """One conversation of a batch as a message: what came of it, or why nothing did."""
    if isinstance(outcome, AppError):
        return pb.ConversationResult(status=status_of(outcome))
    return pb.ConversationResult(conversation=to_conversation(outcome))


def _to_persona(persona: Persona) -> pb.Persona:
    message = pb.Persona(key=persona.key, display_name=persona.display_name, archetype=persona.archetype)
    for name, value in (("demographics", persona.demographics), ("background", persona.background)):
        if value is not None:
            getattr(message, name).CopyFrom(struct_of({"value": value}).fields["value"])
    return message


def _to_arc(arc: EmotionalArc) -> pb.EmotionalArc:
    return pb.EmotionalArc(
        key=arc.key,
        display_name=arc.display_name,
        starting_emotion=arc.starting_emotion,
        ending_emotion=arc.ending_emotion,
    )


def _to_topic(topic: TrainingTopic) -> pb.TrainingTopic:
    return pb.TrainingTopic(key=topic.key, display_name=topic.display_name, complexity_level=topic.complexity_level)


def _to_template(template: PromptTemplate) -> pb.PromptTemplate:
    return pb.PromptTemplate(display_name=template.display_name, category=template.category, skills=template.skills)


def to_report(report: Report) -> pb.ValidationReport:
    """The report as a message."""
    return pb.ValidationReport(
        valid=report.is_valid,
        blockers=[_to_issue(issue) for issue in report.blockers[:1000]],
        warnings=[_to_issue(issue) for issue in report.warnings[:1000]],
        summary=report.summary,
    )


def _to_issue(issue: Issue) -> pb.ValidationReport.Issue:
    severity = "SEVERITY_BLOCKER" if issue.is_blocker else "SEVERITY_WARNING"
    return pb.ValidationReport.Issue(
        code=issue.code,
        severity=pb.ValidationReport.Issue.Severity.Value(severity),
        field=issue.field,
        message=issue.message,
        suggestion=issue.suggestion,
    )


def document_kind(number: int) -> DocumentKind | None:
    """The kind that a request names; None when it leaves it open."""
    word = enum_value(pb.Conversation.DocumentKind, number, "DOCUMENT_KIND_", "document_kind")
    return DocumentKind(word) if word else None


def conversation_state(number: int) -> ConversationState | None:
    """The state that a filter names; None for all."""
    word = enum_value(pb.Conversation.State, number, "STATE_", "state")
    return ConversationState(word) if word else None


def file_state(number: int) -> TrainingFileState | None:
    """The state that a filter names; None for all."""
    word = enum_value(pb.TrainingFile.State, number, "STATE_", "state")
    return TrainingFileState(word) if word else None


def conversation_uids(artist: str, names: list[str]) -> list[str]:
    """The ids of named conversations of the artist."""
    uids = []
    for index, name in enumerate(names):
        owner, uid = last_of(conversations.NAME, name, field=f"conversations[{index}]")
        require(owner == artist, f"conversations[{index}]", f"a conversation of artists/{artist}")
        uids.append(uid)
    return uids


def to_file(file: TrainingFile) -> pb.TrainingFile:
    """The training file as a message."""
    current = file.current
    return pb.TrainingFile(
        name=file.name,
        display_name=file.display_name,
        description=file.description,
        target_model=file.target_model,
        profile=struct_of(file.profile) if file.profile else None,
        jsonl_header=file.jsonl_header,
        state=pb.TrainingFile.State.Value(f"STATE_{file.state.value}"),
        current_version=current.name if current else "",
        statistics=to_statistics(current.statistics) if current and current.statistics else None,
        json_size_bytes=current.json_size_bytes if current else 0,
        jsonl_size_bytes=current.jsonl_size_bytes if current else 0,
        create_time=stamp(file.create_time),
        update_time=stamp(file.update_time),
        etag=file.etag,
    )


def to_version(version: Version) -> pb.TrainingFileVersion:
    """The version as a message."""
    return pb.TrainingFileVersion(
        name=version.name,
        sequence=version.sequence,
        state=pb.TrainingFileVersion.State.Value(f"STATE_{version.state.value}"),
        progress_percent=version.progress_percent,
        statistics=to_statistics(version.statistics) if version.statistics else None,
        json_size_bytes=version.json_size_bytes,
        json_sha256=version.json_sha256,
        jsonl_size_bytes=version.jsonl_size_bytes,
        jsonl_sha256=version.jsonl_sha256,
        error=failure(version.error_reason, version.error_message),
        create_time=stamp(version.create_time),
        update_time=stamp(version.update_time),
        end_time=stamp(version.end_time),
    )


def to_statistics(numbers: Statistics) -> pb.TrainingFileStatistics:
    """The numbers as a message."""
    return pb.TrainingFileStatistics(
        conversation_count=numbers.conversation_count,
        pair_count=numbers.pair_count,
        trainable_pair_count=numbers.trainable_pair_count,
        quality=pb.TrainingFileStatistics.Quality(
            scored_count=numbers.scored_count,
            mean_score=numbers.mean_score,
            min_score=numbers.min_score,
            max_score=numbers.max_score,
            human_reviewed_count=numbers.human_reviewed_count,
            human_reviewed_percent=numbers.human_reviewed_percent,
        ),
        personas=numbers.personas,
        emotional_arcs=numbers.emotional_arcs,
        training_topics=numbers.training_topics,
        quality_tiers=numbers.quality_tiers,
    )


def to_member(member: Member) -> pb.TrainingFileMember:
    """The member as a message."""
    return pb.TrainingFileMember(
        conversation=member.conversation,
        conversation_id=member.conversation_id,
        position=member.position,
        added_in_version=member.added_in_version,
        score=member.score,
        quality_tier=member.quality_tier,
        pair_count=member.pair_count,
        trainable_pair_count=member.trainable_pair_count,
        source_sha256=member.source_sha256,
    )


def to_content(content: Content) -> pb.TrainingFileContent:
    """Where bytes lie, as a message."""
    return pb.TrainingFileContent(
        object_key=content.object_key,
        size_bytes=content.size_bytes,
        sha256=content.sha256,
        media_type=content.media_type,
        file_name=content.file_name,
    )


def to_verdict(verdict: Verdict) -> pb.PreflightTrainingFileResponse.Verdict:
    """What preflight says, as a message."""
    kinds = pb.PreflightTrainingFileResponse.Verdict
    return kinds(
        conversation=verdict.conversation,
        finding=kinds.Finding.Value(f"FINDING_{verdict.finding.value}"),
        message=verdict.message,
    )
