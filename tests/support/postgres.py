"""A PostgreSQL server for tests: one that the environment names, or Debian's programs in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Postgres", "postgres_url"]


def _programs() -> Path:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1].parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _as_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; hand the folder to the account that Debian made for it."""
    if os.getuid() != 0:
        return {}
    home = Path(tempfile.mkdtemp(prefix="galloway-postgres-", dir="/tmp"))
    home.chmod(0o755)
    shutil.chown(home, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": home}


class Postgres:
    """A server of Debian's programs on loopback, which can be stopped and started again."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        """Makes its files. A `durable` one waits for the disk at every commit."""
        self._programs, port = _programs(), _free_port()
        options = _as_user(folder)
        self._data = Path(options.get("cwd", folder)) / "data"
        self._run: dict[str, Any] = {
            "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options
        }  # fmt: skip
        self.url = f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
        fsync = "on" if durable else "off"
        self._settings = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync={fsync}"
        program = self._programs / "initdb"
        command = [program, "-D", self._data, "-U", "tests", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(command, **self._run)

    def start(self) -> None:
        """Returns once it answers."""
        command = [self._programs / "pg_ctl", "-D", self._data, "-w", "-o", self._settings, "start"]
        subprocess.run(command, **self._run)

    def stop(self) -> None:
        """At once, as if its power had failed."""
        subprocess.run([self._programs / "pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop"], **self._run)

    def remove(self) -> None:
        """Delete its files."""
        shutil.rmtree(self._data.parent if os.getuid() == 0 else self._data, ignore_errors=True)


def postgres_url(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """Yields a SQLAlchemy URL, and stops the server afterwards."""
    if os.environ.get("GALLOWAY_TEST_POSTGRES"):
        yield os.environ["GALLOWAY_TEST_POSTGRES"]
        return
    server = Postgres(folder, durable=durable)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        server.remove()
