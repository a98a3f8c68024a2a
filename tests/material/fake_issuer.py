"""An OpenID Connect issuer on loopback: discovery, keys, and tokens signed by them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "tonewright-tests"


class FakeIssuer:
    """Answers /.well-known/openid-configuration and /jwks.json until stopped; can be started again on the same port."""

    def __init__(self) -> None:
        self._keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048)]
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def rotate(self) -> None:
        """Sign with a new key from now on, published beside the older ones."""
        self._keys.append(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def answer(self, path: str) -> dict[str, Any]:
        if path.endswith("openid-configuration"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks.json"}
        return {"keys": [self._jwk(number) for number in range(len(self._keys))]}

    def token(self, subject: str, *, expires_in_s: float = 600, **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": int(now + expires_in_s), **claims}
        return jwt.encode(body, self._keys[-1], algorithm="RS256", headers={"kid": str(len(self._keys) - 1)})

    def _jwk(self, number: int) -> dict[str, Any]:
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self._keys[number].public_key(), as_dict=True)
        return {**jwk, "kid": str(number), "use": "sig", "alg": "RS256"}
