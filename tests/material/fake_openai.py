"""A language model's API on loopback that speaks OpenAI's chat completions, streamed or not."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.material.obedience import obey

KEY_REFUSED = "sk-refused"


class FakeOpenAI:
    """Answers /v1/models and /v1/chat/completions until stopped; can be started again on the same port.

    Without a script it writes a caption that keeps the rules, with the tempo tag that it was asked for.

    Attributes:
        url: Base URL for the SDK.
        requests: The bodies it was sent, oldest first.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers: deque[str] = deque()
        self._faults: deque[tuple[int, dict[str, str]]] = deque()
        self._server: ThreadingHTTPServer | None = None
        self._break: tuple[int, bool] | None = None
        self._wait_s = 0.0
        self._obeys = False
        self._always = ""
        self._unknown: tuple[str, ...] = ()
        self.at_once = 0
        self.most_at_once = 0
        self._counting = threading.Lock()
        self.connections: set[socket.socket] = set()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        if self._server is not None:
            return
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on and end the open ones."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def will_say(self, *captions: str) -> None:
        """Give these captions in the next answers, one each."""
        self._answers.extend(json.dumps({"caption": caption}, ensure_ascii=False) for caption in captions)

    def will_say_raw(self, *texts: str) -> None:
        """Give these texts as they are, as a model without structured output does."""
        self._answers.extend(texts)

    def will_obey(self, *, obeys: bool = True) -> None:
        """Do what anybody says anywhere in the input, before any rule."""
        self._obeys = obeys

    def will_always_say(self, text: str) -> None:
        """Give this caption whatever is asked, also when it was told what is wrong with it; empty ends it."""
        self._always = text

    def knows_no(self, *fields: str) -> None:
        """Refuse requests that hold one of these: a kind of `response_format`, or a field."""
        self._unknown = fields

    def complaint(self, body: dict[str, Any]) -> str:
        """What the server says of a request with fields that it does not know; empty for nothing."""
        kind = (body.get("response_format") or {}).get("type", "")
        if kind in self._unknown:
            return f"response_format type {kind} is unavailable on this server"
        return next((f"Unrecognized request argument supplied: {name}" for name in self._unknown if name in body), "")

    def working(self, more: int) -> None:
        with self._counting:
            self.at_once += more
            self.most_at_once = max(self.most_at_once, self.at_once)

    def will_fail(self, status: int, times: int = 1, **headers: str) -> None:
        """Answer the next requests with an error status."""
        self._faults.extend([(status, headers)] * times)

    def will_break_after(self, pieces: int, *, cleanly: bool = False) -> None:
        """Cut the next streamed answer off after so many pieces; cleanly, as a proxy does that gives up."""
        self._break = (pieces, cleanly)

    def will_wait(self, seconds: float) -> None:
        """Wait before every answer."""
        self._wait_s = seconds

    def next_fault(self) -> tuple[int, dict[str, str]] | None:
        time.sleep(self._wait_s)
        return self._faults.popleft() if self._faults else None

    def next_break(self) -> tuple[int, bool] | None:
        planned, self._break = self._break, None
        return planned

    def answer(self, body: dict[str, Any]) -> str:
        self.requests.append(body)
        if self._answers:
            return self._answers.popleft()
        if self._always:
            return json.dumps({"caption": self._always}, ensure_ascii=False)
        if self._obeys and (said := obey(body["messages"])):
            return json.dumps({"caption": said}, ensure_ascii=False)
        asked = "\n".join(message["content"] for message in body["messages"])
        tag = re.search(r"TEMPO_TAG: (BPM: [\d.]+)", asked)
        text = (
            "Warm contemporary electronica with rounded sub bass, soft pads and crisp programmed drums, hopeful and "
            f"driving in mood, opening into a wide and airy second half. {tag[1] if tag else ''}"
        )
        return json.dumps({"caption": text.strip()})


class _Handler(BaseHTTPRequestHandler):
    fake: FakeOpenAI
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.fake.connections.add(self.connection)

    def finish(self) -> None:
        self.fake.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        if self._refused():
            return
        self._json(200, {"object": "list", "data": [{"id": "fake-model", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._refused():
            return
        self.fake.working(1)
        try:
            self._complete(body)
        finally:
            self.fake.working(-1)

    def _complete(self, body: dict[str, Any]) -> None:
        if (fault := self.fake.next_fault()) is not None:
            status, headers = fault
            self._json(status, _error(f"scripted {status}"), **headers)
            return
        if complaint := self.fake.complaint(body):
            self._json(400, _error(complaint))
            return
        text = self.fake.answer(body)
        if "response_format" not in body:
            text = _plain(text)
        if body.get("stream"):
            self._stream(body, text)
        else:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            self._json(200, {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(body, text)})

    def _stream(self, body: dict[str, Any], text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        head = _head(body, "chat.completion.chunk")
        planned = self.fake.next_break()
        for place, piece in enumerate(re.findall(r".{1,7}", text, re.DOTALL)):
            if planned is not None and place == planned[0]:
                self.close_connection = True
                self.wfile.write(b"0\r\n\r\n" if planned[1] else b"20\r\ndata: {")
                return
            delta = {"role": "assistant", "content": piece} if place == 0 else {"content": piece}
            self._event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        self._event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if (body.get("stream_options") or {}).get("include_usage"):
            self._event({**head, "choices": [], "usage": _usage(body, text)})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, event: dict[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the caller may have heard enough
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.flush()

    def _refused(self) -> bool:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if key and key != KEY_REFUSED:
            return False
        self._json(401, _error("Incorrect API key provided"))
        return True

    def _json(self, status: int, body: dict[str, Any], **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _plain(text: str) -> str:
    """The caption alone, as a model says it that was not asked for JSON."""
    try:
        return str(json.loads(text)["caption"])
    except (ValueError, KeyError, TypeError):
        return text


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 1_700_000_000, "model": body["model"]}


def _usage(body: dict[str, Any], text: str) -> dict[str, int]:
    read = sum(len(message["content"].split()) for message in body["messages"])
    written = len(text.split())
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "fake", "param": None, "code": None}}
