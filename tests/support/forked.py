"""Commands in real processes without a new interpreter's seconds: a process that has imported everything forks them.

A kill by the clock then falls into the command's work, not into its imports.

    python -m tests.support.forked      # orders and answers as JSON lines; tests use `Forks`
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

__all__ = ["Forks", "forks"]

_ROOT = Path(__file__).parents[2]


class Forks:
    """A process of its own, without threads, that runs commands of `galloway` in children one after the other."""

    def __init__(self) -> None:
        alone = {"PYTHONPATH": str(_ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=_ROOT,
            env={**os.environ, **alone},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self._server.kill)
        self._heard = b""
        self._line(120)

    def run(self, arguments: list[str], environment: Mapping[str, str], wait: float) -> tuple[int | None, str]:
        """The command's exit code, None where it was killed after `wait` seconds, and what it wrote to stderr."""
        with tempfile.NamedTemporaryFile(prefix="galloway-", suffix=".err") as errors:
            assert self._server.stdin is not None
            order = {"arguments": arguments, "environment": dict(environment), "errors": errors.name}
            self._server.stdin.write(json.dumps(order).encode() + b"\n")
            self._server.stdin.flush()
            pid = int(self._line(60) or 0)
            status = self._line(wait)
            if status is None:
                os.kill(pid, signal.SIGKILL)
                status = self._line(60)
            code = os.waitstatus_to_exitcode(int(status or 0))
            said = Path(errors.name).read_text(encoding="utf-8", errors="replace")
            return (None if code == -signal.SIGKILL else code), said

    def _line(self, wait: float) -> str | None:
        """The server's next line, or None where none came within `wait` seconds."""
        assert self._server.stdout is not None
        while b"\n" not in self._heard:
            if not select.select([self._server.stdout], [], [], wait)[0]:
                return None
            more = os.read(self._server.stdout.fileno(), 4096)
            assert more, "the process that forks commands has ended"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()


@cache
def forks() -> Forks:
    """The one of this test run, started at its first use."""
    return Forks()


def _serve() -> None:
    from bench.hostile.processes import leave_with_parent, preload

    leave_with_parent()
    preload()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            leave_with_parent()
            _become(order["arguments"], order["environment"], order["errors"])
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


def _become(arguments: list[str], environment: dict[str, str], errors: str) -> NoReturn:
    from galloway.pipeline.cli.main import main

    code: object = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream, target in ((0, nothing), (1, nothing), (2, os.open(errors, os.O_WRONLY))):
            os.dup2(target, stream)
        os.environ.clear()
        os.environ.update(environment)
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve()
