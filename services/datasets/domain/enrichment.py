"""From a dialogue to self-contained training pairs; a pure function, so that a repeat gives the same bytes.

Source of every field and its order: spec of training files, sections 2.2 and 2.6.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from services.datasets.domain import jsontext
from services.datasets.domain.conversations import Context, Conversation

VERTICAL = "financial_planning_consultant"
TARGET_USE = "LoRA fine-tuning for emotionally intelligent chatbot"
DEFAULT_SCORE = 3.0
DEFAULT_OUTCOME = "Provide emotionally intelligent support"
DEFAULT_OBJECTIVE = "emotionally_intelligent_support"
DEFAULT_SKILLS = ("empathy", "active_listening")
DEFAULT_PROFILE: dict[str, Any] = {
    "name": "Robin Ashdown",
    "business": "Ashdown Planning",
    "expertise": "fee-only financial planning for everyday households",
    "years_experience": 15,
    "core_philosophy": {
        "principle_1": "Feelings come before facts: name what the client feels, then look at the numbers",
        "principle_2": "Judge nobody: every money story has reasons",
        "principle_3": "Explain why before you say what to do",
        "principle_4": "Celebrate small steps as much as large ones",
        "principle_5": "Let the client's own values decide",
    },
    "communication_style": {
        "tone": "warm, calm and concrete",
        "techniques": [
            "name the feeling",
            "ask before advising",
            "use one real number at a time",
            "offer one next step",
            "check that it was understood",
        ],
        "avoid": ["jargon", "lecturing", "false reassurance", "comparing clients", "long lists"],
    },
}
DEFAULT_SYSTEM_PROMPT = (
    "You are {name} of {business}, a financial planning consultant. Listen for the feeling behind each message and "
    "acknowledge it in plain words before you turn to facts. Explain reasons before instructions, use one concrete "
    "number at a time and offer one small next step. Do not judge, lecture or promise returns. Let the client's values "
    "decide, and recommend a licensed professional where the law asks for one."
)
_PROFILE_ORDER = (
    "name",
    "business",
    "expertise",
    "years_experience",
    "core_philosophy",
    "communication_style",
    "tone",
    "techniques",
    "avoid",
)
_WORDS = re.compile(r"[a-z]+")
_POSITIVE = frozenset(
    [
        "hope",
        "hopeful",
        "relief",
        "relieved",
        "excitement",
        "excited",
        "joy",
        "joyful",
        "confidence",
        "confident",
        "gratitude",
        "grateful",
        "pride",
        "proud",
        "determination",
        "determined",
        "calm",
        "optimism",
        "optimistic",
    ]
)
_NEGATIVE = frozenset(
    [
        "shame",
        "ashamed",
        "fear",
        "fearful",
        "afraid",
        "anxiety",
        "anxious",
        "guilt",
        "guilty",
        "anger",
        "angry",
        "frustration",
        "frustrated",
        "overwhelm",
        "overwhelmed",
        "sadness",
        "sad",
        "embarrassment",
        "embarrassed",
        "worry",
        "worried",
        "stress",
        "stressed",
        "hopelessness",
        "hopeless",
    ]
)


@dataclass(frozen=True, slots=True)
class Scaffolding:
    """Keys and names of the three choices that a conversation was generated from."""

    persona_key: str = ""
    persona_name: str = ""
    arc_key: str = ""
    arc_name: str = ""
    topic_key: str = ""
    topic_name: str = ""


def scaffolding_of(context: Context, parameters: dict[str, str]) -> Scaffolding:
    """What was chosen: the context says it, the document's own parameters fill what the context leaves open."""
    persona, arc, topic = context.persona, context.emotional_arc, context.training_topic
    given = parameters.get
    return Scaffolding(
        persona_key=persona.key or given("persona_key", ""),
        persona_name=persona.display_name or given("persona_name", ""),
        arc_key=arc.key or given("emotional_arc_key", ""),
        arc_name=arc.display_name or given("emotional_arc_name", ""),
        topic_key=topic.key or given("training_topic_key", ""),
        topic_name=topic.display_name or given("training_topic_name", ""),
    )


def enrich(conversation: Conversation, document: dict[str, Any]) -> dict[str, Any]:
    """The enriched document of a raw or parsed one that has no blockers."""
    context, turns = conversation.context, document["turns"]
    profile = profile_of(context.profile)
    parameters: dict[str, str] = document.get("input_parameters", {})
    scaffolding = scaffolding_of(context, parameters)
    score = context.quality_score or DEFAULT_SCORE
    shared: dict[str, Any] = {
        "code": (context.template.category if context.template else "") or "fp_conversation",
        "metadata": _pair_metadata(context, document["conversation_metadata"], scaffolding),
        "system_prompt": context.system_prompt or default_system_prompt(profile),
        "score": score,
        "training": _training_facts(context, scaffolding),
    }
    enriched: dict[str, Any] = {
        "dataset_metadata": _dataset_metadata(conversation, profile, score, len(turns)),
        "consultant_profile": profile,
        "training_pairs": [_pair(turns, index, **shared) for index in range(len(turns))],
    }
    if parameters:
        enriched["input_parameters"] = parameters
    elif scaffolding != Scaffolding():
        enriched["input_parameters"] = _parameters(scaffolding)
    return enriched


def profile_of(given: dict[str, Any]) -> dict[str, Any]:
    """The consultant of a file, with the keys in the format's order; the platform's neutral one when none is given."""
    found: dict[str, Any] = jsontext.ordered(given or DEFAULT_PROFILE, *_PROFILE_ORDER)
    return found


def default_system_prompt(profile: dict[str, Any]) -> str:
    """The system prompt of conversations that were stored without theirs."""
    name, business = str(profile.get("name") or "the consultant"), str(profile.get("business") or "the practice")
    return DEFAULT_SYSTEM_PROMPT.format(name=name, business=business)


def _dataset_metadata(
    conversation: Conversation, profile: dict[str, Any], score: float, turn_count: int
) -> dict[str, Any]:
    template = conversation.context.template
    return {
        "dataset_name": f"fp_conversation_{conversation.conversation_id}",
        "version": "1.0.0",
        "created_date": conversation.generate_time.astimezone(UTC).date().isoformat(),
        "vertical": VERTICAL,
        "consultant_persona": f"{profile.get('name', '')} - {profile.get('business', '')}",
        "target_use": TARGET_USE,
        "conversation_source": "synthetic_platform_generated",
        "quality_tier": tier_of(max(score, 2.5)),  # an enriched document is never `rejected`
        "total_conversations": 1,
        "total_turns": turn_count,
        "notes": f"Generated via template: {(template.display_name if template else '') or 'unknown'}",
    }


def _pair_metadata(context: Context, metadata: dict[str, Any], chosen: Scaffolding) -> dict[str, Any]:
    persona = context.persona
    client = metadata["client_persona"]
    if persona.display_name:
        # The row's persona wins: a model sometimes answers with another name.
        client = f"{persona.display_name} - {persona.archetype or 'Client'}"
    outcome = metadata.get("expected_outcome")
    found = {
        "client_persona": client,
        "client_background": background_of(context, metadata["client_persona"]),
        "session_context": metadata["session_context"],
        "conversation_phase": metadata["conversation_phase"],
        "expected_outcome": outcome if isinstance(outcome, str) and outcome.strip() else DEFAULT_OUTCOME,
    }
    optional = {
        "persona_archetype": chosen.persona_key,
        "emotional_arc": chosen.arc_name,
        "emotional_arc_key": chosen.arc_key,
        "training_topic": chosen.topic_name,
        "training_topic_key": chosen.topic_key,
    }
    return found | {key: value for key, value in optional.items() if value}


def background_of(context: Context, parsed_persona: str) -> str:
    """The client's background in one line; never the inner form of a data structure.

    Source: spec of training files, regression case R3.
    """
    persona = context.persona
    parts = [_demographics(persona.demographics), _background(persona.background)]
    told = "; ".join(part for part in parts if part)
    return told or f"Client profile: {parsed_persona}"


def _demographics(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    age = value.get("age")
    facts = [f"Age {age}"] if isinstance(age, int | float | str) and not isinstance(age, bool) and age != "" else []
    texts = (value.get(key) for key in ("gender", "location", "family_status"))
    return ", ".join(facts + [text for text in texts if isinstance(text, str) and text])


def _background(value: Any) -> str:
    if isinstance(value, str):
        return value
    return jsontext.write(jsontext.ordered(value)).decode() if isinstance(value, dict | list) and value else ""


def _training_facts(context: Context, chosen: Scaffolding) -> dict[str, Any]:
    arc, template = context.emotional_arc, context.template
    has_arc = bool(arc.starting_emotion or arc.ending_emotion)
    return {
        "level": context.training_topic.complexity_level or "intermediate",
        "objective": chosen.topic_key or chosen.topic_name or DEFAULT_OBJECTIVE,
        "skills": list(template.skills if template and template.skills else DEFAULT_SKILLS),
        "progression": f"{arc.starting_emotion}(0.8) → {arc.ending_emotion}(0.8)" if has_arc else "",
    }


def _pair(
    turns: list[dict[str, Any]],
    index: int,
    *,
    code: str,
    metadata: dict[str, Any],
    system_prompt: str,
    score: float,
    training: dict[str, Any],
) -> dict[str, Any]:
    turn, earlier = turns[index], turns[:index]
    number, is_answer = int(turn["turn_number"]), turn["role"] == "assistant"
    asked = next((before["content"] for before in reversed(earlier) if before["role"] == "user"), "")
    return {
        "id": f"{code}_turn{number}",
        "conversation_id": code,
        "turn_number": number,
        "conversation_metadata": metadata,
        "system_prompt": system_prompt,
        "conversation_history": [_history(before) for before in earlier],
        "current_user_input": asked if is_answer else turn["content"],
        "emotional_context": {"detected_emotions": _emotions(turn["emotional_context"])},
        "target_response": turn["content"] if is_answer else None,
        "training_metadata": _pair_training(number, score, training),
    }


def _history(turn: dict[str, Any]) -> dict[str, Any]:
    emotion = turn["emotional_context"]
    state = {"primary": emotion["primary_emotion"]}
    if emotion.get("secondary_emotion"):
        state["secondary"] = emotion["secondary_emotion"]
    state["intensity"] = jsontext.number(emotion["intensity"])
    return {
        "turn": int(turn["turn_number"]),
        "role": turn["role"],
        "content": turn["content"],
        "emotional_state": state,
    }


def _emotions(emotion: dict[str, Any]) -> dict[str, Any]:
    found = {"primary": emotion["primary_emotion"], "primary_confidence": 0.8}
    if emotion.get("secondary_emotion"):
        found |= {"secondary": emotion["secondary_emotion"], "secondary_confidence": 0.7}
    return found | {
        "intensity": jsontext.number(emotion["intensity"]),
        "valence": valence_of(emotion["primary_emotion"]),
    }


def _pair_training(number: int, score: float, training: dict[str, Any]) -> dict[str, Any]:
    criterion = jsontext.number(min(5.0, max(1.0, score)))
    return {
        "difficulty_level": f"{training['level']}_conversation_turn_{number}",
        "key_learning_objective": training["objective"],
        "demonstrates_skills": training["skills"],
        "conversation_turn": number,
        "emotional_progression_target": training["progression"],
        "quality_score": min(5, max(1, math.floor(score + 0.5))),
        "quality_criteria": {
            "empathy_score": criterion,
            "clarity_score": criterion,
            "appropriateness_score": criterion,
            "brand_voice_alignment": criterion,
        },
        "human_reviewed": False,
        "reviewer_notes": None,
        "use_as_seed_example": False,
        "generate_variations_count": 0,
    }


def _parameters(chosen: Scaffolding) -> dict[str, str]:
    return {
        "persona_id": "",
        "persona_key": chosen.persona_key,
        "persona_name": chosen.persona_name,
        "emotional_arc_id": "",
        "emotional_arc_key": chosen.arc_key,
        "emotional_arc_name": chosen.arc_name,
        "training_topic_id": "",
        "training_topic_key": chosen.topic_key,
        "training_topic_name": chosen.topic_name,
    }


def valence_of(emotion: str) -> str:
    """positive, negative or mixed, by whole words of the emotion's name."""
    words = set(_WORDS.findall(emotion.lower()))
    if words & _POSITIVE:
        return "positive"
    return "negative" if words & _NEGATIVE else "mixed"


def tier_of(score: float | None) -> str:
    """The quality tier of a score on the scale 0 to 5; no score counts as experimental."""
    if not score:
        return "experimental"
    if score >= 4.5:
        return "seed_dataset"
    if score >= 3.5:
        return "production"
    return "experimental" if score >= 2.5 else "rejected"
