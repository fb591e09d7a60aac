"""A real nginx in front of something on loopback: `proxy_pass` and nothing else, or with Debian's `proxy_params`."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["find_nginx", "nginx"]

_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            {params}
            proxy_pass http://127.0.0.1:{upstream};
        }}
    }}
}}
"""


def find_nginx() -> str | None:
    """The program, which Debian keeps out of the path of users."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx(upstream: int, params: str = "") -> Iterator[str]:
    """The address of an nginx on loopback that passes everything on to 127.0.0.1:`upstream`."""
    program = find_nginx()
    assert program is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with TemporaryDirectory() as name:
        config = Path(name) / "nginx.conf"
        config.write_text(_CONFIG.format(folder=name, port=port, upstream=upstream, params=params), encoding="ascii")
        process = subprocess.Popen([program, "-p", name, "-c", str(config)], stderr=subprocess.PIPE)
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("nginx did not begin to listen")
