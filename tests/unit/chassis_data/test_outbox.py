from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from chassis.outbox import WebhookUrlRefused, public_address, sign


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)


def test_the_signature_is_that_of_the_specification() -> None:
    """Source: the example of standardwebhooks.com."""
    body = '{"test": 2432232314}'
    sent_at = datetime.fromtimestamp(1614265330, UTC)

    headers = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, body)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolve_to(monkeypatch, address)

    with pytest.raises(WebhookUrlRefused):
        public_address("https://example.com/hook")


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "93.184.216.34", "10.0.0.1")

    with pytest.raises(WebhookUrlRefused):
        public_address("https://example.com/hook")


def test_the_checked_address_is_the_one_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "93.184.216.34")

    assert public_address("https://example.com:8443/hook") == "93.184.216.34"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "https://", "https://u:p@example.com/", "https://x:99999/"],
)
def test_a_url_that_is_no_https_address_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    resolve_to(monkeypatch, "93.184.216.34")

    with pytest.raises(WebhookUrlRefused):
        public_address(url)


def test_an_unknown_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(WebhookUrlRefused):
        public_address("https://nowhere.example.com/")
