from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr, ValidationError

from chassis.settings import Settings


class DrumSettings(Settings):
    SERVICE: ClassVar[str] = "drums"

    api_key: SecretStr = SecretStr("")
    sessions_target: str = ""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TONEWRIGHT_HOME", str(tmp_path))


def test_embedded_defaults_lie_in_the_home_folder(tmp_path: Path) -> None:
    settings = DrumSettings()

    assert settings.database_url == f"sqlite:///{tmp_path}/db/drums.db"
    assert settings.objects_url == f"file://{tmp_path}/objects"
    assert settings.broker_url == f"filesystem://{tmp_path}/queue"
    assert settings.signing_key_file == tmp_path / "keys" / "drums.key"
    assert settings.trusted_keys_dir == tmp_path / "keys"
    assert settings.callers_file.name == "callers.toml"


def test_the_services_own_variable_wins_over_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEWRIGHT_DATABASE_URL", "postgresql://shared/db")
    monkeypatch.setenv("TONEWRIGHT_DRUMS_DATABASE_URL", "postgresql://own/db")
    monkeypatch.setenv("TONEWRIGHT_THREADS", "7")

    settings = DrumSettings()

    assert (settings.database_url, settings.threads) == ("postgresql://own/db", 7)


def test_secrets_and_passwords_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEWRIGHT_DRUMS_API_KEY", "swordfish")
    monkeypatch.setenv("TONEWRIGHT_DATABASE_URL", "postgresql://me:blow@fish@host/db?sslpassword=blowfish")

    shown = "\n".join(value for _, value, _ in DrumSettings().describe())

    assert "fish" not in shown
    assert "postgresql://me:********@host/db?sslpassword=********" in shown


def test_a_wrong_value_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEWRIGHT_THREADS", "swordfish")

    with pytest.raises(ValidationError) as raised:
        DrumSettings()

    assert "swordfish" not in str(raised.value)
    assert "threads" in str(raised.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        DrumSettings().threads = 3


def test_a_peers_address_comes_from_the_setting_or_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONEWRIGHT_STEMS_TARGET", "stems:1")
    settings = DrumSettings(sessions_target="sessions:1")

    assert settings.target_of("sessions") == "sessions:1"
    assert settings.target_of("stems") == "stems:1"
    with pytest.raises(LookupError, match="TONEWRIGHT_PROMPT_TARGET"):
        settings.target_of("prompt")
