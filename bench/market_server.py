"""A marketplace in a process of its own, on SQLite or a PostgreSQL of this run, for benches that ask it over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from galloway.mturk.marketplace.app import MarketConfig

__all__ = ["Server", "database", "database_ms", "free_ports", "postmaster"]


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    held = [socket.socket() for _ in range(count)]
    for item in held:
        item.bind(("127.0.0.1", 0))
    ports = [int(item.getsockname()[1]) for item in held]
    for item in held:
        item.close()
    return ports


class Server:
    """A marketplace in a process of its own, which can be killed and started again on the same ports. It is given
    `share` of a core at most (0: what it wants)."""

    def __init__(self, state: Path, database: str = "", share: float = 0.0) -> None:
        self.state, self.database, self.share = state, database, share
        self._group: Path | None = None
        self.api, self.worker, self.frames = free_ports(3)
        self.kills = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ports = ["--api-port", self.api, "--worker-port", self.worker, "--frame-port", self.frames]
        where = ["--state", str(self.state), *(["--database", self.database] if self.database else [])]
        command = [sys.executable, "-m", "galloway", "market", *where, "serve"]
        with (self.state / "server.log").open("ab") as log:
            self._process = subprocess.Popen([*command, *map(str, ports)], stdout=log, stderr=log)
        self.wait()
        if self.share:
            self._group = _held_to(self.pid, self.share)

    def wait(self) -> None:
        """Until all three parts answer."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                for port in (self.api, self.worker, self.frames):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"The marketplace did not start; see {self.state / 'server.log'}")

    @property
    def config(self) -> MarketConfig:
        """The same marketplace, to be opened beside it."""
        return MarketConfig(state_dir=self.state, database_url=self.database)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def processor_ms(self) -> float:
        """What the process that runs now has used of the processor (Linux); 0 where none runs just now."""
        if self._process is None:
            return 0.0
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """SIGKILL, and nothing of it is left."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._group is not None:
            self._group.rmdir()
            self._group = None


_PERIOD = 10_000
"""Microseconds, the shortest useful: who holds a row and has used up its share is not frozen for long."""


def _held_to(pid: int, share: float) -> Path:
    """Keep a process to a share of a core with a control group, to be removed when it has ended (Linux, root)."""
    first = Path("/sys/fs/cgroup/cpu")
    group = (first if first.is_dir() else first.parent) / f"galloway-bench-{pid}"
    group.mkdir()
    quota = max(1000, round(share * _PERIOD))
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    (group / "cgroup.procs").write_text(str(pid))
    return group


def database_ms(url: str) -> float:
    """What the PostgreSQL that listens where `url` says, and that this program started, has used of the processor: all
    its processes, those that ended too. 0 for SQLite, which works in the server."""
    if not url:
        return 0.0
    mother = postmaster(url)
    children = Path(f"/proc/{mother}/task/{mother}/children").read_text().split()
    return sum(_used(int(pid)) for pid in (mother, *children))


def _used(pid: int) -> float:
    """Milliseconds of a process and of its children that ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return 1000 * sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def postmaster(url: str) -> int:
    """The PostgreSQL that listens where `url` says."""
    port = str(sa.make_url(url).port)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].endswith("/postgres") and ("-p", port) in pairwise(words):
            return int(folder.name)
    raise SystemExit("The PostgreSQL of this run is not there.")


@contextmanager
def database(postgres: bool, folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of its own, or "" for SQLite."""
    if not postgres:
        yield ""
        return
    from tests.support.postgres import postgres_url

    yield from postgres_url(folder, durable=True)
