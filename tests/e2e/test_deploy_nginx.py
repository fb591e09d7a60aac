"""The nginx example that a team copies, in front of a real market: each name leads to its part, with TLS."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace

from tests.support.nginx import find_nginx

EXAMPLE = Path(__file__).parents[2] / "deploy" / "nginx.conf.template"
NAMES = {"API_NAME": "api.test", "WORK_NAME": "work.test", "FRAMES_NAME": "frames.test", "REQUESTER_NAME": "faces.test"}
pytestmark = pytest.mark.nginx


def certificate(folder: Path) -> None:
    folder.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=team.test"]
    files = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run([*command, *files], cwd=folder, check=True, capture_output=True)


@contextmanager
def in_front(folder: Path, ports: dict[int, int]) -> Iterator[int]:
    """The example as it stands, but for names, ports and where certificates lie; yields the port with TLS."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    certificate(folder / "certificates")
    config = EXAMPLE.read_text(encoding="utf-8")
    files = {
        "CERTIFICATE": f"{folder}/certificates/fullchain.pem",
        "CERTIFICATE_KEY": f"{folder}/certificates/privkey.pem",
    }
    for name, value in {**NAMES, **files, "UPSTREAM": "127.0.0.1"}.items():
        config = config.replace(f"${{{name}}}", value)
    for written, real in ports.items():
        config = config.replace(f":{written};", f":{real};")
    config = config.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    config = re.sub(r"listen 80;", f"listen unix:{folder}/plain.sock;", config)
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; master_process off; pid {folder}/pid; events {{ }} http {{ {places}\n{config}\n}}\n"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    command = [str(find_nginx()), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            assert process.poll() is None, process.communicate()[1].decode()
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_each_name_leads_to_its_part(tmp_path: Path) -> None:
    config = MarketConfig(
        state_dir=tmp_path / "market",
        api_url="https://api.test",
        worker_url="https://work.test",
        frame_url="https://frames.test",
    )
    with RunningMarketplace(config) as running:
        real = running.market.config
        ports = {8100: real.api_port, 8101: real.worker_port, 8102: real.frame_port, 8500: real.worker_port}
        (tmp_path / "nginx").mkdir()
        with in_front(tmp_path / "nginx", ports) as port:
            context = ssl.create_default_context(cafile=str(tmp_path / "nginx" / "certificates" / "fullchain.pem"))
            context.check_hostname = False

            def ask(name: str, path: str) -> tuple[int, str]:
                asked = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=20)
                asked.request("GET", path, headers={"Host": name})
                answer = asked.getresponse()
                told = answer.status, answer.read().decode()
                asked.close()
                return told

            for name in NAMES.values():
                assert ask(name, "/healthz")[0] == 200, name
            assert "requester API" in ask("api.test", "/")[1]
            assert ask("api.test", "/metrics")[0] == 404
            assert "Sign in" in ask("work.test", "/sign-in")[1]
            assert "<form" not in ask("frames.test", "/sign-in")[1]
