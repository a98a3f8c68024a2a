"""Files around a provider: the archive that it is given, and the audio that it gives."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx2

from services.datasets.domain import provider_failures as failures
from services.datasets.domain.provider_runs import ProviderAway, ProviderRefused

_DELIVERY = "replicate.delivery"
_REDIRECTS = 3
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """Audio in a temporary file; close it to remove it."""

    path: str
    size_bytes: int
    sha256: str
    media_type: str

    def close(self) -> None:
        """Remove the file."""
        Path(self.path).unlink(missing_ok=True)


class Files:
    """Looks at archives, and fetches outputs from the provider's own hosts alone."""

    def __init__(self, base_url: str, timeout_s: float, max_output_bytes: int) -> None:
        self._base, self._max_bytes = urlsplit(base_url), max_output_bytes
        # Without the token: files lie on other hosts than the API.
        self._http = httpx2.Client(timeout=timeout_s, follow_redirects=False, trust_env=False)

    def check_archive(self, url: str) -> None:
        """Nothing if a ranged GET gives the start of a zip file, else ProviderRefused, or ProviderAway."""
        try:
            with self._http.stream("GET", url, headers={"range": "bytes=0-3"}, follow_redirects=True) as answer:
                start = next(answer.iter_bytes(4), b"") if answer.is_success else b""
        except httpx2.HTTPError as error:
            raise ProviderAway(f"the archive's address does not answer ({type(error).__name__})") from error
        if answer.status_code >= 500:
            raise ProviderAway(f"the archive's address answers {answer.status_code}")
        if start[:4] != _ZIP:
            raise ProviderRefused(
                failures.ArchiveUnreachable(
                    f"the archive's address answers {answer.status_code} and no zip file; export again, and check that "
                    "TONEWRIGHT_GATEWAY_PUBLIC_URL leads to this gateway"
                )
            )

    def fetch(self, url: str) -> FetchedFile:
        """The file behind an address of the provider, at most so many bytes of it.

        Raises:
            ProviderRefused: It is no address of the provider, gone, or too large.
            ProviderAway: The host does not answer.
        """
        descriptor, path = tempfile.mkstemp(prefix="tonewright-output-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                return self._into(file, path, url)
        except BaseException:
            Path(path).unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _into(self, file: BinaryIO, path: str, url: str) -> FetchedFile:
        for _ in range(_REDIRECTS + 1):
            self._check_host(url)
            try:
                with self._http.stream("GET", url) as answer:
                    if answer.is_redirect:
                        url = urljoin(url, answer.headers.get("location", ""))
                        continue
                    _check_status(answer.status_code)
                    return self._copied(answer, file, path)
            except httpx2.HTTPError as error:
                raise ProviderAway(f"the audio's address does not answer ({type(error).__name__})") from error
        raise ProviderRefused(failures.OutputAddressRefused("the provider's address of the audio leads in circles"))

    def _copied(self, answer: httpx2.Response, file: BinaryIO, path: str) -> FetchedFile:
        digest, size = hashlib.sha256(), 0
        for piece in answer.iter_bytes(1 << 20):
            size += len(piece)
            if size > self._max_bytes:
                raise ProviderRefused(
                    failures.OutputTooLarge(
                        f"the provider's audio has more than {self._max_bytes} bytes; generate less"
                    )
                )
            digest.update(piece)
            file.write(piece)
        file.flush()
        media_type = answer.headers.get("content-type", "").partition(";")[0].strip() or "audio/wav"
        return FetchedFile(path, size, digest.hexdigest(), media_type)

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        own = (parts.scheme, parts.netloc) == (self._base.scheme, self._base.netloc)
        theirs = parts.scheme == "https" and (host == _DELIVERY or host.endswith(f".{_DELIVERY}"))
        if not (own or theirs) or parts.username or parts.password:
            raise ProviderRefused(
                failures.OutputAddressRefused(
                    f"the provider names audio at {host[:100]!r}, which is no host of its own"
                )
            )


def _check_status(status: int) -> None:
    if status in (404, 410):
        raise ProviderRefused(
            failures.GenerationOutputLost("the provider has deleted the audio already; generate again")
        )
    if not 200 <= status < 300:
        raise ProviderAway(f"the audio's address answers {status}")
