"""The bad network is as bad as it says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """Port of a server that sends back what it gets."""

    def serve() -> None:
        while True:
            try:
                plug, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(plug,), daemon=True).start()

    def answer(plug: socket.socket) -> None:
        with plug:
            try:
                while data := plug.recv(4096):
                    plug.sendall(data)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy() as made:
        made.lead_to(echo)
        yield made


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def said_back(plug: socket.socket, size: int = 4) -> float:
    """Seconds until so many bytes came back."""
    began = time.monotonic()
    plug.sendall(b"x" * size)
    left = size
    while left:
        left -= len(plug.recv(left))
    return time.monotonic() - began


def test_it_passes_bytes_on(proxy: Proxy) -> None:
    with connected(proxy) as plug:
        assert said_back(plug, 200_000) < 2


def test_a_cut_resets_and_new_connections_are_taken(proxy: Proxy) -> None:
    with connected(proxy) as plug:
        said_back(plug)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            plug.recv(1)
    with connected(proxy) as plug:
        said_back(plug)


def test_a_refusal_lasts_until_it_is_ended(proxy: Proxy) -> None:
    with connected(proxy) as plug:
        said_back(plug)
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            plug.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.pass_on()
    with connected(proxy) as plug:
        said_back(plug)


def test_what_is_swallowed_comes_late(proxy: Proxy) -> None:
    with connected(proxy) as plug:
        said_back(plug)
        proxy.swallow()
        plug.sendall(b"late")
        plug.settimeout(0.3)
        with pytest.raises(TimeoutError):
            plug.recv(4)
        with connected(proxy):  # taken, and never answered
            proxy.pass_on()
            plug.settimeout(5)
            assert plug.recv(4) == b"late"


def test_delay_and_throttle(proxy: Proxy) -> None:
    with connected(proxy) as plug:
        proxy.delay_s = 0.1
        assert 0.2 <= said_back(plug) < 1  # there and back
        proxy.delay_s, proxy.bytes_per_s = 0.0, 1024
        assert 0.9 <= said_back(plug, 512) < 3
        proxy.pass_on()
        assert said_back(plug, 512) < 0.2


def test_it_ends_with_connections_that_hang(echo: int) -> None:
    with Proxy() as proxy:
        proxy.lead_to(echo)
        plug = connected(proxy)
        said_back(plug)
        proxy.swallow()
        plug.sendall(b"lost")
    plug.close()


def test_who_comes_in_the_moment_of_a_refusal_is_refused_too(proxy: Proxy) -> None:
    for _ in range(300):
        plugs = [connected(proxy) for _ in range(3)]
        proxy.refuse()
        for plug in plugs:
            with plug, contextlib.suppress(ConnectionResetError):
                assert plug.recv(1) == b""
        proxy.pass_on()
