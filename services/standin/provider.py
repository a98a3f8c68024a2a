"""A training provider that plays one: real protocol and real reading of archives, no model behind it."""

from __future__ import annotations

import base64
import hashlib
import secrets
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.clock import Clock
from chassis.logs import get_logger
from services.standin.music import render_wav, tempo_of
from services.standin.preparation import PreparationFailed, Prepared, fetched, prepare
from services.standin.records import FINAL, Records
from services.standin.webhooks import Sender

log = get_logger(__name__)
TRAINER = "sakemin/musicgen-fine-tuner"
TRAINER_VERSIONS = (
    "bc57274e2930af17c1d692516a4e6bd67618af425db3b2107c28c2100f031934",
    "b1ec6490e57013463006e928abc7acd8d623fe3e8321d3092e1231bf006898b1",
)
_ALPHABET = "abcdefghjkmnpqrstvwxyz0123456789"
_SLICES = 10  # log lines per epoch


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it pretends to work.

    Attributes:
        train_s: Length of a training.
        predict_s: Length of a prediction.
        step_s: Billed seconds per step of a training; None bills the time that really passed.
        max_archive_bytes: Largest archive that is fetched.
    """

    train_s: float = 1.0
    predict_s: float = 0.3
    step_s: float | None = None
    max_archive_bytes: int = 4 << 30


class StandIn:
    """Models, trainings and predictions of a provider on this machine; close it when done."""

    def __init__(self, folder: Path, clock: Clock, pace: Pace) -> None:
        self.records, self.clock, self.pace = Records(folder), clock, pace
        self.folder, self.base_url = folder, ""
        kept = self.records.get("secrets", "webhook") or {
            "key": f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        }
        self.secret: str = self.records.put("secrets", "webhook", kept)["key"]
        self._sender = Sender(self.secret, clock)
        self._runs = ThreadPoolExecutor(4, thread_name_prefix="run")
        self._posts = ThreadPoolExecutor(4, thread_name_prefix="webhook")
        self._stopped = threading.Event()
        self._files = folder / "files"
        self._files.mkdir(exist_ok=True)

    def resume(self) -> None:
        """Go on with what had not ended when the process did."""
        for record in self.records.unfinished("trainings"):
            self._runs.submit(self._train, record["id"])
        for record in self.records.unfinished("predictions"):
            self._runs.submit(self._predict, record["id"])

    def close(self) -> None:
        """Stop working."""
        self._stopped.set()
        self._sender.stopped.set()
        self._runs.shutdown(wait=False, cancel_futures=True)
        self._posts.shutdown(wait=False, cancel_futures=True)

    def now(self) -> str:
        """The time as the API writes it."""
        return self.clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")

    def model(self, owner: str, name: str) -> dict[str, Any] | None:
        """A model, the trainer or a destination."""
        if f"{owner}/{name}" == TRAINER:
            return _model(owner, name, "public", "2023-12-08T00:00:00Z")
        return self.records.get("models", f"{owner}~{name}")

    def add_model(self, owner: str, name: str, visibility: str) -> dict[str, Any]:
        """A new destination."""
        return self.records.put("models", f"{owner}~{name}", _model(owner, name, visibility, self.now()))

    def versions(self, owner: str, name: str) -> list[dict[str, Any]]:
        """Versions of a model, newest first."""
        if f"{owner}/{name}" == TRAINER:
            return [_version(uid, "2023-12-08T00:00:00Z") for uid in TRAINER_VERSIONS]
        made = [version for version in self.records.all("versions") if version["model"] == f"{owner}/{name}"]
        return [_version(version["id"], version["created_at"]) for version in reversed(made)]

    def start_training(
        self, version: str, destination: str, given: dict[str, Any], webhook: str, events: list[str]
    ) -> dict[str, Any]:
        """A training that begins at once."""
        record = self._run_record("trainings", given, webhook, events) | {
            "model": TRAINER,
            "version": version,
            "destination": destination,
        }
        self.records.put("trainings", record["id"], record)
        self._runs.submit(self._train, record["id"])
        return record

    def start_prediction(
        self, version: str, given: dict[str, Any], webhook: str, events: list[str]
    ) -> dict[str, Any] | None:
        """A prediction that begins at once; None if there is no such version."""
        made = self.records.get("versions", version)
        if made is None:
            return None
        record = self._run_record("predictions", given, webhook, events) | {"model": made["model"], "version": version}
        self.records.put("predictions", record["id"], record)
        self._runs.submit(self._predict, record["id"])
        return record

    def cancel(self, kind: str, uid: str) -> dict[str, Any] | None:
        """The run after it was stopped, if it had not ended; None if there is none."""
        changed = self.records.change(
            kind, uid, status="canceled", completed_at=self.now(), metrics={"predict_time": 0.01}
        )
        if changed is not None:
            self._tell(changed, "completed")
        return self.records.get(kind, uid)

    def file(self, name: str) -> Path | None:
        """A file that was made here."""
        path = self._files / name
        return path if path.parent == self._files and path.is_file() else None

    def _run_record(self, kind: str, given: dict[str, Any], webhook: str, events: list[str]) -> dict[str, Any]:
        uid = "".join(secrets.choice(_ALPHABET) for _ in range(26))
        return {
            "id": uid,
            "status": "starting",
            "input": given,
            "output": None,
            "error": None,
            "logs": "",
            "metrics": {},
            "created_at": self.now(),
            "started_at": None,
            "completed_at": None,
            "source": "api",
            "urls": {"get": f"{self.base_url}/v1/{kind}/{uid}", "cancel": f"{self.base_url}/v1/{kind}/{uid}/cancel"},
            "webhook": webhook or None,
            "webhook_events_filter": events,
        }

    def _train(self, uid: str) -> None:
        begun_s = self.clock.monotonic()
        record = self.records.change("trainings", uid, status="processing", started_at=self.now())
        if record is None:
            return
        self._tell(record, "start")
        given, lines = record["input"], [f"Using trainer {record['version'][:8]} of the stand-in: no model is tuned"]

        def say(line: str) -> None:
            lines.append(line)

        try:
            with fetched(str(given["dataset_path"]), self.pace.max_archive_bytes) as archive:
                prepared = prepare(archive, given, say)
            steps = self._epochs(uid, given, prepared, lines)
        except PreparationFailed as failed:
            self._end("trainings", uid, lines, begun_s, 1, status="failed", error=str(failed))
            return
        except Exception as error:
            log.exception("training_failed", training=uid)
            self._end("trainings", uid, lines, begun_s, 1, status="failed", error=f"{type(error).__name__}: {error}")
            return
        if steps:
            output = self._made_version(record, prepared)
            self._end("trainings", uid, lines, begun_s, steps, status="succeeded", output=output)

    def _epochs(self, uid: str, given: dict[str, Any], prepared: Prepared, lines: list[str]) -> int:
        """Steps done; 0 when it was stopped on the way."""
        epochs, updates = int(given.get("epochs", 3)), int(given.get("updates_per_epoch") or 1)
        batch = int(given.get("batch_size", 16)) // 8
        lines.append(f"{prepared.files} files, {prepared.pieces} pieces, {prepared.captions} with text")
        if not batch or given.get("lr_scheduler") == "exponential":
            lines.append("Traceback (most recent call last): the inner training process ended with code 1")
            raise PreparationFailed("UnboundLocalError: local variable 'checkpoint_dir' referenced before assignment")
        shown = [epoch for epoch in range(1, epochs + 1) if epochs <= 100 or epoch % (epochs // 100) == 0]
        for epoch in shown:
            for part in range(1, _SLICES + 1):
                if self._stopped.wait(self.pace.train_s / (len(shown) * _SLICES)):
                    return 0
                step = max(1, updates * part // _SLICES)
                loss = 6.0 - 3.0 * (epoch - 1 + part / _SLICES) / epochs
                lines.append(f"[flashy.solver][INFO] - Train | Epoch {epoch} | {step}/{updates} | loss {loss:.3f}")
                if self.records.change("trainings", uid, logs="\n".join(lines)) is None:
                    return 0
            lines.append(f"[flashy.solver][INFO] - Train Summary | Epoch {epoch} | loss={loss:.3f}")
        return epochs * updates

    def _made_version(self, record: dict[str, Any], prepared: Prepared) -> dict[str, str]:
        version = hashlib.sha256(f"{record['id']}{record['destination']}".encode()).hexdigest()
        tempo = statistics.median(prepared.tempos_bpm) if prepared.tempos_bpm else 100.0
        made = {"id": version, "model": record["destination"], "created_at": self.now(), "tempo_bpm": tempo}
        self.records.put("versions", version, made)
        name = f"{record['id']}-trained_model.tar"
        (self._files / name).write_bytes(b"A stand-in made this file; there is no model in it.\n")
        return {"version": f"{record['destination']}:{version}", "weights": f"{self.base_url}/files/{name}"}

    def _predict(self, uid: str) -> None:
        begun_s = self.clock.monotonic()
        record = self.records.change("predictions", uid, status="processing", started_at=self.now())
        if record is None:
            return
        self._tell(record, "start")
        given, made = record["input"], self.records.get("versions", record["version"]) or {}
        if self._stopped.wait(self.pace.predict_s):
            return
        seed, prompt = int(given.get("seed") or 0), str(given.get("prompt") or "")
        tempo = tempo_of(prompt, float(made.get("tempo_bpm", 100.0)))
        sound = render_wav(prompt, duration_s=float(given.get("duration", 8)), seed=seed, tempo_bpm=tempo)
        (self._files / f"{uid}-out.wav").write_bytes(sound)
        output = f"{self.base_url}/files/{uid}-out.wav"
        self._end("predictions", uid, [f"Using seed: {seed}"], begun_s, 1, status="succeeded", output=output)

    def _end(
        self, kind: str, uid: str, lines: list[str], begun_s: float, steps: int, *, status: str, **values: Any
    ) -> None:
        spent_s = self.clock.monotonic() - begun_s
        if self.pace.step_s is not None and kind == "trainings":
            spent_s = self.pace.step_s * steps
        ended = self.records.change(
            kind,
            uid,
            status=status,
            logs="\n".join(lines),
            completed_at=self.now(),
            metrics={"predict_time": round(spent_s, 6), "total_time": round(spent_s + 0.5, 6)},
            **values,
        )
        if ended is not None:
            self._tell(ended, "completed")

    def _tell(self, record: dict[str, Any], event: str) -> None:
        if record["webhook"] and event in record["webhook_events_filter"] and not self._stopped.is_set():
            self._posts.submit(self._sender.send, record["webhook"], public(record))


def public(record: dict[str, Any]) -> dict[str, Any]:
    """A run as the API shows it."""
    return {name: value for name, value in record.items() if name != "webhook_events_filter"}


def is_final(record: dict[str, Any]) -> bool:
    """Whether the run has ended."""
    return record["status"] in FINAL


def _model(owner: str, name: str, visibility: str, created_at: str) -> dict[str, Any]:
    return {
        "url": f"https://replicate.com/{owner}/{name}",
        "owner": owner,
        "name": name,
        "description": None,
        "visibility": visibility,
        "github_url": None,
        "paper_url": None,
        "license_url": None,
        "run_count": 0,
        "cover_image_url": None,
        "default_example": None,
        "latest_version": None,
        "created_at": created_at,
    }


def _version(uid: str, created_at: str) -> dict[str, Any]:
    return {"id": uid, "created_at": created_at, "cog_version": "0.8.6", "openapi_schema": {}}
