"""`galloway serve` as it is run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from galloway.pipeline.workspace.folder import Workspace

__all__ = ["served"]


@contextmanager
def served(workspace: Workspace) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`galloway serve` on a free port; its address."""
    command = [sys.executable, "-m", "galloway", "-w", str(workspace.root), "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
