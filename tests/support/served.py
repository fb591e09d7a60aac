"""`galloway serve` and `galloway studio` as they are run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from galloway.pipeline.jobs.kept import all_jobs
from galloway.pipeline.workspace.folder import Workspace

__all__ = ["served", "studio"]


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


@contextmanager
def studio(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`galloway studio` on a free port; the link that it printed."""
    command = [sys.executable, "-m", "galloway", "studio", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()
        for job in (job for root in folder.glob("*/jobs") for job in all_jobs(Workspace.open(root.parent))):
            if job.pid and sys.exc_info()[0] is not None:
                os.kill(job.pid, signal.SIGKILL)  # the test is lost; what it began does not stay
