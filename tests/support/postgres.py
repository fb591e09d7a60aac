"""A PostgreSQL server for tests: one that the environment names, or Debian's programs in a temporary folder."""

from __future__ import annotations

import _socket
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from galloway.pipeline.workspace.database.alone import alone
from galloway.pipeline.workspace.database.engine import make_engine
from galloway.pipeline.workspace.schema import migrate

__all__ = ["Databases", "Postgres", "postgres_url"]


def _programs() -> Path:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1].parent


def _free_port() -> int:
    probe = _socket.socket()  # unit tests, one of which may be the first to want a server, have no sockets of Python's
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    probe.close()
    return port


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


class Databases:
    """Empty databases of a server, quickly made: copies of one that has a workspace's tables."""

    def __init__(self, url: str) -> None:
        self._admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._made = itertools.count(1)
        self._name = f"galloway_{os.getpid()}_{secrets.token_hex(3)}"
        self._all: list[str] = []
        self._template = self._create("")
        with alone(sa.make_url(self._url(self._template))):
            pass  # makes room
        engine = make_engine(self._url(self._template))
        migrate(engine)
        engine.dispose()

    def make(self) -> str:
        """The URL of a new one."""
        return self._url(self._create(self._template))

    def _create(self, template: str) -> str:
        name = f"{self._name}_{next(self._made)}"
        with self._admin.connect() as db:
            db.exec_driver_sql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        self._all.append(name)
        return name

    def _url(self, name: str) -> str:
        return self._admin.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop one, whoever is connected to it."""
        name = str(sa.make_url(url).database)
        self._all.remove(name)
        with self._admin.connect() as db:
            db.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Drop all that were made."""
        for name in list(self._all):
            self.drop(self._url(name))


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
