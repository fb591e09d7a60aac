"""A server that is asked to stop ends the requests it has begun: those that run, wait, or are still coming in."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from galloway.mturk.marketplace.answering import answer
from waitress.server import create_server

from tests.support.workspace import built_app

REQUESTS = 12


def slow(environ, start_response):  # type: ignore[no-untyped-def]
    body = environ["wsgi.input"].read()
    time.sleep(0.3)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done " + body]


def everything(connection: socket.socket) -> bytes:
    """What a server says until it closes: head and body may come in two packets."""
    return b"".join(iter(lambda: connection.recv(4096), b""))


def test_what_has_begun_is_answered_and_nobody_new_is_let_in() -> None:
    sockets: dict[int, object] = {}
    server = create_server(slow, map=sockets, host="127.0.0.1", port=0, threads=2)
    port, stopping = int(server.effective_port), threading.Event()
    loop = threading.Thread(target=answer, args=(sockets, stopping), daemon=True)
    loop.start()
    idle = http.client.HTTPConnection("127.0.0.1", port)
    idle.request("GET", "/")
    assert idle.getresponse().read() == b"done "
    asked = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(REQUESTS)]
    for number, one in enumerate(asked):
        one.request("POST", "/", body=str(number))
    half = socket.create_connection(("127.0.0.1", port), timeout=20)
    half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nha")
    time.sleep(0.3)
    stopping.set()
    time.sleep(0.7)
    half.sendall(b"lf")
    answers = []
    for one in asked:
        answers.append(one.getresponse().read())
        one.close()
    assert sorted(answers) == sorted(f"done {number}".encode() for number in range(REQUESTS))
    with half:
        assert everything(half).endswith(b"done half")
    loop.join(timeout=20)
    assert not loop.is_alive()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    with pytest.raises((http.client.HTTPException, OSError)), closing(idle):
        idle.request("GET", "/")
        idle.getresponse()


def test_what_takes_too_long_is_cut_off_in_the_stated_time() -> None:
    def stuck(environ, start_response):  # type: ignore[no-untyped-def]
        time.sleep(8)
        start_response("200 OK", [])
        return [b""]

    sockets: dict[int, object] = {}
    server = create_server(stuck, map=sockets, host="127.0.0.1", port=0, threads=1)
    stopping = threading.Event()
    loop = threading.Thread(target=answer, args=(sockets, stopping), kwargs={"grace": 0.5}, daemon=True)
    loop.start()
    one = http.client.HTTPConnection("127.0.0.1", int(server.effective_port), timeout=20)
    with closing(one):
        one.request("GET", "/")
        time.sleep(0.2)
        stopping.set()
        loop.join(timeout=6)
    assert not loop.is_alive()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_galloway_serve_and_market_serve_end_well(tmp_path: Path, sent: signal.Signals) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    app.workspace.db.dispose()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for command in (["serve", "--port", "0"], ["market", "serve"]):
        with subprocess.Popen(
            [sys.executable, "-m", "galloway", "-w", str(app.workspace.root), *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(("Stop with", "Next:")):
                    break
            process.send_signal(sent)
            left = process.communicate(timeout=30)[0]
        assert process.returncode == 0, left
        assert "Traceback" not in left
    assert not (app.workspace.root / "market" / "running.json").exists()
