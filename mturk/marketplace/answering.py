"""The loop of one HTTP server: it answers until it is asked to stop, and then ends what it has begun."""

from __future__ import annotations

import contextlib
import gc
import select
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["GRACE_SECONDS", "answer", "asked_to_stop", "spare"]

GRACE_SECONDS = 10.0
"""So long requests that have begun may take after the server was asked to stop. systemd waits 90 seconds, Docker 10."""


def answer(sockets: dict[int, Any], stopping: threading.Event, *, grace: float = GRACE_SECONDS) -> None:
    """Serve what waitress' `create_server(…, map=sockets)` bound, until `stopping` is set, and close it all.

    From then on nobody new is let in, and connections without a request are closed. Requests that wait, run, are still
    being received or sent come to their end for `grace` seconds; only what is left then is cut off. The sockets are
    closed by the thread that selects on them, never under its feet.
    """
    from waitress import wasyncore

    servers = [item for item in sockets.values() if hasattr(item, "accept_connections")]
    for server in servers:
        server.channel_class = _patient(server.channel_class)
    poll = hasattr(select, "poll")  # select() ends at 1,024 descriptors
    while not stopping.is_set():
        wasyncore.loop(timeout=0.5, use_poll=poll, map=sockets, count=1)
    for server in servers:
        server.del_channel(sockets)
        server.socket.close()
    until = time.monotonic() + grace
    while _close_idle(sockets) and time.monotonic() < until:
        wasyncore.loop(timeout=0.1, use_poll=poll, map=sockets, count=1)
    for dispatcher in {id(server.task_dispatcher): server.task_dispatcher for server in servers}.values():
        dispatcher.shutdown(timeout=1)
    for item in list(sockets.values()):
        if hasattr(item, "outbufs"):
            item.handle_close()  # with the file in which a large answer lay
    wasyncore.close_all(sockets, ignore_all=True)


def _patient(channel_class: Any) -> Any:
    """waitress' connection, which leaves it to the thread that answers to send what it has just written.

    As waitress (3.0) has it, the loop asks meanwhile whether there is something to send, hears yes, finds the thread at
    it, and asks again, without a pause, for as long as the thread waits for the interpreter that the loop keeps busy:
    with 200 workers that was up to half of all that a marketplace did.
    """

    class Patient(channel_class):  # type: ignore[misc]
        def writable(self) -> bool:
            """Whether the loop has something to send or to close. A thread that could not send all at once wakes the
            loop when it is done, or waits for it above the high-water mark."""
            if self.will_close or self.close_when_flushed or self.total_outbufs_len > self.adj.outbuf_high_watermark:
                return True
            if not self.total_outbufs_len or not self.outbuf_lock.acquire(blocking=False):
                return False
            self.outbuf_lock.release()
            return True

    return Patient


def spare() -> None:
    """Have collections of garbage pass over what is in memory now, for a process that begins to serve: nearly all of it
    is modules, which stay to the end. A full collection goes through 170,000 objects of theirs, 0.1 s in the midst of
    somebody's page."""
    gc.collect()
    gc.freeze()


def _close_idle(sockets: dict[int, Any]) -> bool:
    """Ask connections without a request to close; whether any other is left."""
    busy = False
    for item in list(sockets.values()):
        if not hasattr(item, "requests"):
            continue  # the trigger that wakes the loop
        if item.requests or item.request is not None or item.total_outbufs_len:
            busy = True
        else:
            item.will_close = True
    return busy


@contextlib.contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Set when the process is interrupted or asked to terminate; asked a second time it ends at once. For the main
    thread."""
    stopping = threading.Event()
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}

    def stop(_number: int, _frame: object) -> None:
        stopping.set()
        for name, handler in before.items():
            signal.signal(name, handler)

    for name in before:
        signal.signal(name, stop)
    try:
        yield stopping
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
