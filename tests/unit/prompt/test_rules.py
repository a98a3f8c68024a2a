"""The caption rules."""

from __future__ import annotations

import time

import pytest

from services.prompt.domain.denied import context_of
from services.prompt.domain.findings import tempo_tag
from services.prompt.domain.rules import RuleContext, check
from services.prompt.domain.scrubbing import safe_text
from services.prompt.domain.tidying import tidy, without_tag

GOOD = (
    "Warm melodic house with rounded sub bass, soft pads and crisp programmed drums, hopeful and driving in mood, "
    "opening into a wide and airy second half. BPM: 120"
)
CONTEXT = RuleContext(tempo_bpm=120.0)


def _rules(text: str, context: RuleContext = CONTEXT) -> list[str]:
    return [finding.rule for finding in check(text, context).violations]


def _warnings(text: str, context: RuleContext = CONTEXT) -> list[str]:
    return [finding.rule for finding in check(text, context).warnings]


def test_a_good_caption_breaks_nothing() -> None:
    assert (_rules(GOOD), _warnings(GOOD)) == ([], [])


@pytest.mark.parametrize(
    ("bpm", "tag"), [(199.990005, "BPM: 200"), (95, "BPM: 95"), (127.5, "BPM: 127.5"), (95.04, "BPM: 95")]
)
def test_the_tempo_is_written_as_people_say_it(bpm: float, tag: str) -> None:
    assert tempo_tag(bpm) == tag


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "P1"),
        ("  ", "P1"),
        (GOOD.replace(", soft", ",\nsoft"), "P2"),
        ("\ufeff" + GOOD, "P3"),
        (GOOD.replace("mood", "mo\x07od"), "P3"),
        (GOOD.replace("soft", "cafe\u0301"), "P3"),
        (GOOD.replace(" BPM: 120", ""), "P4"),
        (GOOD + ".", "P4"),
        (GOOD.replace("120", "121"), "P5"),
        ("word " * 130 + "BPM: 120", "P6"),
        ("**Warm** " + GOOD, "P7"),
        ("- " + GOOD, "P7"),
        ("Caption: " + GOOD, "P7"),
        ('{"caption": "x"} ' + GOOD, "P7"),
        ("Genre: " + GOOD, "P7"),
        ("Here is it, " + GOOD, "P7"),
        ("<b>" + GOOD, "P7"),
        (GOOD.replace("Warm", "Warm\\n"), "P7"),
        (GOOD.replace("soft", "\u2028soft"), "P2"),
        (GOOD.replace("120", "\u0661\u0662\u0660"), "P4"),
        (GOOD + "\n", "P4"),
        (GOOD.replace("Warm", "Warm 66 BPM"), "P5"),
        (GOOD.replace("Warm", "Warm (bpm 174)"), "P5"),
        (GOOD.replace("Warm", "Warm, kick_final.wav"), "P8"),
        (GOOD.replace("Warm", "Warm /Users/jane/x"), "P8"),
        (GOOD.replace("Warm", "Warm https://a.example"), "P8"),
        (GOOD.replace("Warm", "In the style of someone, warm"), "P8"),
        (GOOD.replace("Warm", "Warm, reminiscent of Somebody,"), "P8"),
    ],
)
def test_each_form_error_is_found(text: str, rule: str) -> None:
    assert rule in _rules(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("One. Two. Three. " + GOOD, "P6"),
        ("Warm house. BPM: 120", "P6"),
        (GOOD.replace("Warm", "Warm, Genre: deep"), "P12"),
    ],
)
def test_each_doubt_is_a_warning(text: str, rule: str) -> None:
    assert rule in _warnings(text)
    assert _rules(text) == []


def test_a_near_copy_of_a_sibling_is_a_warning() -> None:
    context = RuleContext(tempo_bpm=120.0, siblings=(GOOD.replace("Warm", "warm"), "something else"))

    assert _warnings(GOOD, context) == ["P11"]
    assert _warnings(GOOD, RuleContext(tempo_bpm=120.0, siblings=("something else",))) == []


SCHEMA = {
    "artist": {"name": "Nova Tide", "members": ["Ada L."]},
    "catalog": [{"title": "Night Drive", "label": "Blue Dog", "remixer": None}],
    "creative_policy": {"no_go_zones": ["no trap hi-hats", "EDM drops"]},
}
SUMMARY = {
    "als_stem": "ndrive_v3",
    "project_name": "Night Drive Project",
    "sample_index": {"kick_01.wav": {}, "VEH2_Snare_032.wav": {}, "pad.aif": {}},
    "tracks": [{"devices": [{"name": "Diva", "kind": "vst3"}, {"name": "Reverb", "kind": "vst"}]}],
}


def _full() -> RuleContext:
    return context_of(tempo_bpm=120, master_schema=SCHEMA, summary=SUMMARY, artist_names=["NOVA"])


@pytest.mark.parametrize(
    "name",
    ["nova tide", "Nova", "Ada L.", "night  drive", "Blue Dog", "ndrive_v3", "VEH2_Snare_032", "Ableton", "Live Set"],
)
def test_names_titles_and_files_are_refused(name: str) -> None:
    assert set(_rules(GOOD.replace("Warm", f"Warm {name}"), _full())) == {"P8"}


@pytest.mark.parametrize("word", ["kick drum", "pad", "novation-like", "blue", "alive settings"])
def test_words_that_name_nobody_are_allowed(word: str) -> None:
    assert _rules(GOOD.replace("Warm", f"Warm {word}"), _full()) == []


def test_a_comparison_with_things_is_no_comparison_with_people() -> None:
    assert _rules(GOOD.replace("Warm", "Warm, reminiscent of rain at night,")) == []
    assert _rules(GOOD.replace("Warm", "Warm 120 BPM")) == []


def test_a_refusal_of_several_things_refuses_each() -> None:
    schema = {"creative_policy": {"no_go_zones": ["avoid sirens, air horns or vocal chops"]}}
    context = context_of(tempo_bpm=120, master_schema=schema, summary={}, artist_names=[])

    for phrase in ("sirens", "air horn", "vocal chops"):
        assert _rules(GOOD.replace("Warm", f"Warm {phrase}"), context) == ["P9"]


def test_names_of_files_and_public_artists_are_refused_too() -> None:
    context = context_of(
        tempo_bpm=120,
        master_schema={},
        summary={"sample_index": {"in.wav": {}, "01 Kick.wav": {}}},
        artist_names=[],
        denied=["Somebody Famous"],
        file_names=["Night Bus.als", "0190aa"],
    )

    assert context.denied == {"Ableton", "Live Set", "Somebody Famous", "Night Bus", "0190aa"}


@pytest.mark.parametrize("phrase", ["trap hi-hats", "edm drops", "EDM drop"])
def test_what_the_artist_refuses_is_refused(phrase: str) -> None:
    assert _rules(GOOD.replace("Warm", f"Warm {phrase}"), _full()) == ["P9"]


def test_products_of_the_set_are_a_warning() -> None:
    assert _warnings(GOOD.replace("Warm", "Diva-like warm"), _full()) == ["P10"]
    assert _warnings(GOOD.replace("Warm", "Kontakt-like warm"), _full()) == ["P10"]
    assert _warnings(GOOD.replace("Warm", "Reverb-rich"), _full()) == []


@pytest.mark.parametrize(
    "raw",
    [
        GOOD.replace(", soft", ",\r\n soft"),
        "\ufeff  " + GOOD + " \n",
        f'"{GOOD}"',
        f"Caption: **{GOOD}**",
        f'```json\n{{"caption": "{GOOD}"}}\n```',
        GOOD.replace(". BPM: 120", ", 120 bpm."),
        GOOD.replace("BPM: 120", "(BPM=120)"),
        GOOD.replace(". BPM: 120", ", at a tempo of 120 BPM."),
        GOOD.replace(". BPM: 120", " (tempo: 120 bpm)"),
        "Final caption: “" + GOOD + "”",
    ],
)
def test_what_changes_no_word_is_mended(raw: str) -> None:
    text, fixes = tidy(raw)

    assert text == GOOD
    assert fixes


def test_a_good_caption_is_left_alone() -> None:
    assert tidy(GOOD) == (GOOD, [])


def test_the_tag_can_be_taken_off() -> None:
    assert without_tag(GOOD).endswith("second half.")


@pytest.mark.parametrize(
    "text",
    [
        "*" * 10_000,
        "." * 10_000,
        " " * 10_000,
        "`a" * 5_000,
        '"' * 10_000,
        "1 BPM " * 1_600,
        "a-" * 5_000,
        "- " * 5_000,
        f"a{' ' * 9_998}a",
        f"a{chr(10) * 9_998}a",
        "<a" * 5_000,
        "https" * 2_000,
    ],
)
def test_hostile_texts_are_judged_quickly(text: str) -> None:
    started_s = time.perf_counter()

    check(tidy(text)[0], RuleContext(siblings=tuple(["x" * 10_000] * 100)))
    safe_text(text, RuleContext(), longest=1_000)

    assert time.perf_counter() - started_s < 2
