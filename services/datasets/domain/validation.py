"""What is wrong with a conversation's document: every finding at once, each with a way out.

Source: spec of training files, section 1.8 (codes, severities and fields are part of the reference's reports).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.datasets.domain import jsontext

MIN_TURNS, SHORT_CONTENT = 2, 10


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding in a document."""

    code: str
    field: str
    message: str
    suggestion: str
    is_blocker: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a check found."""

    issues: tuple[Issue, ...] = ()

    @property
    def blockers(self) -> list[Issue]:
        """Findings that stand in the way."""
        return [issue for issue in self.issues if issue.is_blocker]

    @property
    def warnings(self) -> list[Issue]:
        """Findings that do not."""
        return [issue for issue in self.issues if not issue.is_blocker]

    @property
    def is_valid(self) -> bool:
        """Whether there is no blocker."""
        return not self.blockers

    @property
    def summary(self) -> str:
        """One sentence with the counts."""
        blocking, warning = len(self.blockers), len(self.warnings)
        if blocking:
            return f"Validation failed: {blocking} blocking, {warning} warnings"
        return f"Validation passed with {warning} warnings" if warning else "Validation passed with no issues"


class _Findings:
    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def block(self, code: str, field: str, message: str, suggestion: str) -> None:
        self.issues.append(Issue(code, field, message, suggestion, is_blocker=True))

    def warn(self, code: str, field: str, message: str, suggestion: str) -> None:
        self.issues.append(Issue(code, field, message, suggestion, is_blocker=False))

    def report(self) -> Report:
        return Report(tuple(self.issues))


def kind_of(document: Any) -> str:
    """RAW, PARSED or ENRICHED, by the document's keys."""
    if isinstance(document, dict):
        if "training_pairs" in document or "dataset_metadata" in document:
            return "ENRICHED"
        if "input_parameters" in document:
            return "PARSED"
    return "RAW"


def check_text(text: str | bytes) -> tuple[Report, Any]:
    """The report on a document's text, and the document; None when it is not JSON."""
    try:
        document = jsontext.parse(text)
    except ValueError as error:
        found = _Findings()
        found.block("INVALID_JSON_SYNTAX", "root", f"not JSON: {str(error)[:200]}", "send one JSON object in UTF-8")
        return found.report(), None
    return check(document), document


def check(document: Any) -> Report:
    """The report on a document of any kind."""
    found = _Findings()
    if not isinstance(document, dict):
        found.block(
            "INVALID_JSON_SYNTAX", "root", f"a JSON {_word(document)}, not an object", "send one conversation object"
        )
    elif kind_of(document) == "ENRICHED":
        _check_enriched(found, document)
    else:
        _check_metadata(found, document.get("conversation_metadata"))
        _check_turns(found, document.get("turns"))
        _check_parameters(found, document)
    return found.report()


def _check_metadata(found: _Findings, metadata: Any) -> None:
    at = "conversation_metadata"
    if not isinstance(metadata, dict) or not metadata:
        found.block("MISSING_CONVERSATION_METADATA", at, "there is no conversation_metadata object", "add it")
        return
    for key in ("client_persona", "session_context", "conversation_phase"):
        if not _has_text(metadata.get(key)):
            found.block(f"MISSING_{key.upper()}", f"{at}.{key}", f"{key} is not a text with content", f"set {key}")
    if not _has_text(metadata.get("expected_outcome")):
        advice = "set it, or accept the general outcome"
        found.warn("MISSING_EXPECTED_OUTCOME", f"{at}.expected_outcome", "there is no expected outcome", advice)


def _check_turns(found: _Findings, turns: Any) -> None:
    if not isinstance(turns, list):
        found.block("MISSING_TURNS_ARRAY", "turns", "there is no array of turns", "add the turns of the dialogue")
        return
    if len(turns) < MIN_TURNS:
        found.block("INSUFFICIENT_TURNS", "turns", f"{len(turns)} turns", f"send at least {MIN_TURNS} turns")
        return
    last_role = None
    for index, turn in enumerate(turns):
        at = f"turns[{index}]"
        if not isinstance(turn, dict):
            found.block("INVALID_TURN", at, f"a JSON {_word(turn)}, not an object", "send an object per turn")
            continue
        _check_number(found, at, turn.get("turn_number"), index + 1)
        last_role = _check_role(found, at, turn.get("role"), last_role)
        _check_content(found, at, turn.get("content"))
        _check_emotion(found, at, turn.get("emotional_context"))
    _check_duplicates(found, turns)


def _check_number(found: _Findings, at: str, number: Any, expected: int) -> None:
    if not _is_number(number) or number != int(number):
        found.block("INVALID_TURN_NUMBER", f"{at}.turn_number", f"{_shown(number)} is no turn number", "count from 1")
    elif number != expected:
        text = f"turn {_shown(number)} stands where {expected} is expected"
        found.warn("TURN_NUMBER_MISMATCH", f"{at}.turn_number", text, "number the turns from 1 without gaps")


def _check_duplicates(found: _Findings, turns: list[Any]) -> None:
    seen: set[Any] = set()
    for index, turn in enumerate(turns):
        number = turn.get("turn_number") if isinstance(turn, dict) else None
        if not _is_number(number):
            continue
        if number in seen:
            # Two pairs of one id cannot be told apart in a training file.
            text = f"turn {_shown(number)} appears twice"
            found.block("DUPLICATE_TURN_NUMBER", f"turns[{index}].turn_number", text, "give each turn its own number")
        seen.add(number)


def _check_role(found: _Findings, at: str, role: Any, last_role: Any) -> Any:
    if role not in ("user", "assistant"):
        found.block("INVALID_ROLE", f"{at}.role", f"{_shown(role)} is no role", "use user or assistant")
        return last_role
    if role == last_role:
        found.warn("ROLE_NOT_ALTERNATING", f"{at}.role", f"two {role} turns in a row", "join them or add the answer")
    return role


def _check_content(found: _Findings, at: str, content: Any) -> None:
    if not _has_text(content):
        found.block("MISSING_CONTENT", f"{at}.content", "the turn says nothing", "add what was said")
    elif len(content.strip()) < SHORT_CONTENT:
        text = f"{len(content.strip())} characters"
        found.warn("SHORT_CONTENT", f"{at}.content", text, f"check turns below {SHORT_CONTENT} characters")


def _check_emotion(found: _Findings, at: str, emotion: Any) -> None:
    at = f"{at}.emotional_context"
    if not isinstance(emotion, dict):
        found.block("MISSING_EMOTIONAL_CONTEXT", at, "there is no emotional_context object", "add it")
        return
    if not _has_text(emotion.get("primary_emotion")):
        found.block("MISSING_PRIMARY_EMOTION", f"{at}.primary_emotion", "no primary emotion", "name one")
    intensity: Any = emotion.get("intensity")
    if not _is_number(intensity):
        found.block("MISSING_INTENSITY", f"{at}.intensity", f"{_shown(intensity)} is no number", "give 0 to 1")
    elif not 0 <= intensity <= 1:
        found.block(
            "INTENSITY_OUT_OF_RANGE", f"{at}.intensity", f"{_shown(intensity)} is outside 0 to 1", "give 0 to 1"
        )
    elif intensity in (0, 1):
        found.warn("EXTREME_INTENSITY", f"{at}.intensity", f"exactly {intensity}", "check the extreme value")
    if not emotion.get("secondary_emotion"):
        found.warn("MISSING_SECONDARY_EMOTION", f"{at}.secondary_emotion", "no secondary emotion", "add one if known")
    elif not isinstance(emotion["secondary_emotion"], str):
        text = f"{_shown(emotion['secondary_emotion'])} is no text"
        found.block("INVALID_SECONDARY_EMOTION", f"{at}.secondary_emotion", text, "name one, or leave it out")


def _check_parameters(found: _Findings, document: dict[str, Any]) -> None:
    parameters = document.get("input_parameters", {})
    if not isinstance(parameters, dict):
        text = "input_parameters is not an object"
        found.block("INVALID_INPUT_PARAMETERS", "input_parameters", text, "send an object of texts, or leave it out")
        return
    for key, value in parameters.items():
        limit = 100 if key.endswith("_key") else 255
        if not isinstance(value, str) or len(value) > limit or not value.isprintable():
            at, advice = f"input_parameters.{key[:100]}", f"give one line of up to {limit} characters"
            found.block("INVALID_INPUT_PARAMETERS", at, f"{_shown(value)} cannot be used", advice)


_PAIR_FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "conversation_id": str,
    "turn_number": int,
    "conversation_metadata": dict,
    "system_prompt": str,
    "conversation_history": list,
    "current_user_input": str,
    "emotional_context": dict,
    "target_response": (str, type(None)),
    "training_metadata": dict,
}


def _check_enriched(found: _Findings, document: dict[str, Any]) -> None:
    for key, code in (
        ("dataset_metadata", "MISSING_DATASET_METADATA"),
        ("consultant_profile", "MISSING_CONSULTANT_PROFILE"),
    ):
        if not isinstance(document.get(key), dict):
            found.block(code, key, f"there is no {key} object", "send the whole enriched document")
    pairs = document.get("training_pairs")
    if not isinstance(pairs, list) or not pairs:
        found.block("MISSING_TRAINING_PAIRS", "training_pairs", "there are no training pairs", "send at least one pair")
        return
    seen: set[str] = set()
    for index, pair in enumerate(pairs):
        at = f"training_pairs[{index}]"
        if not isinstance(pair, dict):
            found.block("INVALID_PAIR", at, f"a JSON {_word(pair)}, not an object", "send an object per pair")
            continue
        for key, kind in _PAIR_FIELDS.items():
            if key not in pair or not isinstance(pair[key], kind) or isinstance(pair[key], bool):
                found.block("INVALID_PAIR_FIELD", f"{at}.{key}", f"{key} is missing or of another type", f"set {key}")
        identity = str(pair.get("id"))
        if identity in seen:
            found.block("DUPLICATE_PAIR_ID", f"{at}.id", f"{identity!r} appears twice", "give each pair its own id")
        seen.add(identity)
    _check_parameters(found, document)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _has_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _shown(value: Any) -> str:
    return repr(value)[:60]


def _word(value: Any) -> str:
    words = {type(None): "null", bool: "boolean", str: "string", list: "array", int: "number", float: "number"}
    return words.get(type(value), "value")
