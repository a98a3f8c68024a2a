"""`tonewright captions`, `templates` and `chat` with a model behind them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.house import House
from tests.integration.shell import run_here
from tonewright_client import ArtistHandle
from tonewright_client.demo_live_set import write_live_set

pytestmark = pytest.mark.target("backends")


def test_a_template_goes_from_draft_to_default_and_out_of_use(
    house: House, artist: ArtistHandle, tmp_path: Path
) -> None:
    text = tmp_path / "instruction.txt"
    text.write_text("Describe the piece in one sentence for people who choose music for films. End with the tempo tag.")

    states = [
        json.loads(run_here(house, "--json", "templates", *words, artist=artist.name).stdout)[0]["state"]
        for words in (["create", "nova-v1", str(text)], ["approve", "nova-v1"], ["retire", "nova-v1"])
    ]
    shown = run_here(house, "templates", "show", "nova-v1", artist=artist.name)

    assert states == ["DRAFT", "APPROVED", "RETIRED"]
    assert "for people who choose music for films" in " ".join(shown.output.split())


def test_variants_are_written_by_the_model_and_kept(house: House, artist: ArtistHandle, tmp_path: Path) -> None:
    live_set = artist.live_sets.upload(write_live_set(tmp_path / "night.als"))
    options = ("--live-set", live_set["name"], "--variants", "2", "--hint", "darker")

    done = run_here(house, "--json", "captions", "write", *options, artist=artist.name)

    written = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert [one["provenance"]["engine"] for one in written] == ["openai"] * 2
    assert [one["provenance"]["variant"] for one in written] == [0, 1]
    assert {one["name"] for one in written} == {one["name"] for one in artist.captions.list(live_set=live_set["name"])}


def test_the_co_pilot_answers_as_it_thinks(house: House, artist: ArtistHandle) -> None:
    said = run_here(house, "chat", "why is my low end muddy?", artist=artist.name)
    as_json = run_here(house, "--json", "chat", "why is my low end muddy?", artist=artist.name)

    reply = json.loads(as_json.stdout)
    assert (said.exit_code, as_json.exit_code) == (0, 0), said.output
    assert " ".join(reply["content"].split()) in " ".join(said.stdout.split())
    assert reply["model"]
