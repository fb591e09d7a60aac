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

__all__ = ["postgres_url"]


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


def postgres_url(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """Yields a SQLAlchemy URL, and stops the server afterwards. A `durable` one waits for the disk at every commit."""
    if os.environ.get("GALLOWAY_TEST_POSTGRES"):
        yield os.environ["GALLOWAY_TEST_POSTGRES"]
        return
    programs, port = _programs(), _free_port()
    options = _as_user(folder)
    data = Path(options.get("cwd", folder)) / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "tests", "--auth=trust", "--encoding=UTF8", "--no-sync"], **run
    )
    fsync = "on" if durable else "off"
    settings = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='' -c fsync={fsync}"
    subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-o", settings, "start"], **run)
    try:
        yield f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop"], **run)
        shutil.rmtree(data.parent if os.getuid() == 0 else data, ignore_errors=True)
