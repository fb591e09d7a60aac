"""The loop of one HTTP server, and the thread that answers."""

from __future__ import annotations

import gc
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from galloway.mturk.marketplace.answering import answer
from waitress.server import create_server

LARGE = 40 * 1024 * 1024


def _app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    size = int(environ["PATH_INFO"].lstrip("/") or 0)
    start("200 OK", [("Content-Length", str(size))])
    return (b"x" * min(1024 * 1024, size - sent) for sent in range(0, size, 1024 * 1024))


@pytest.fixture
def served() -> Iterator[tuple[int, dict[int, Any]]]:
    """A server that answers with as many bytes as are asked for: its port, and its sockets."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    sockets: dict[int, Any] = {}
    server = create_server(_app, map=sockets, sockets=[bound], threads=2)
    stopping = threading.Event()
    thread = threading.Thread(target=answer, args=(sockets, stopping))
    thread.start()
    yield bound.getsockname()[1], sockets
    stopping.set()
    server.pull_trigger()
    thread.join(timeout=15)
    assert not thread.is_alive()
    gc.collect()  # a file that was left open is told of here


def test_the_loop_leaves_to_a_thread_what_it_is_just_sending(served: tuple[int, dict[int, Any]]) -> None:
    port, sockets = served
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    client.request("GET", "/3")
    assert client.getresponse().read() == b"xxx"
    (channel,) = [item for item in sockets.values() if hasattr(item, "outbuf_lock")]
    with ThreadPoolExecutor(1) as loop, channel.outbuf_lock:

        def asked() -> bool:
            return bool(loop.submit(channel.writable).result())

        assert not asked()
        channel.total_outbufs_len = 3  # written, and not yet sent
        assert not asked()
        channel.total_outbufs_len = channel.adj.outbuf_high_watermark + 1  # the thread will wait for the loop
        assert asked()
        channel.total_outbufs_len = 0
        channel.will_close = True
        assert asked()
        channel.will_close = False
    client.close()


def test_what_a_socket_does_not_take_at_once_comes_whole_and_soon(served: tuple[int, dict[int, Any]]) -> None:
    port, _ = served
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    client.request("GET", f"/{LARGE}")
    time.sleep(0.2)  # the sockets between are full, and more waits than may
    with client.getresponse() as answered:
        assert sum(len(part) for part in iter(lambda: answered.read(1 << 20), b"")) == LARGE
    client.close()
