"""The state folder: locked once, keys made once and kept private."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from services.launcher.home import HomeInUseError, ensure_api_key, ensure_signing_keys, locked


def test_the_folder_is_held_once(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(HomeInUseError, match="already runs"), locked(tmp_path):
        pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass

    with locked(tmp_path):
        pass


def test_the_first_key_is_kept_and_only_its_hash_is_served(tmp_path: Path) -> None:
    path, is_new = ensure_api_key(tmp_path)
    key = path.read_text().strip()

    assert is_new
    assert ensure_api_key(tmp_path) == (path, False)
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    hashes = (tmp_path / "api-keys.toml").read_text()
    assert key not in hashes
    assert tomllib.loads(hashes)["keys"][0]["sha256"] == hashlib.sha256(key.encode()).hexdigest()


def test_signing_keys_are_made_once(tmp_path: Path) -> None:
    ensure_signing_keys(tmp_path, ("gateway",))
    first = (tmp_path / "keys" / "gateway.key").read_bytes()

    ensure_signing_keys(tmp_path, ("gateway", "prompt"))

    assert (tmp_path / "keys" / "gateway.key").read_bytes() == first
    assert (tmp_path / "keys" / "prompt.pub").exists()
