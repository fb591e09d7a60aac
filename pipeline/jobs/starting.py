"""Starting a job and stopping it. The process is the command's own, so whatever a killed command does, a job does."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ...curation.files import write_atomic
from ..errors import StageError, WorkspaceBusy
from ..workspace.acts import note_act
from ..workspace.folder import Workspace
from ..workspace.held import held
from .kept import FOLDER, Job, all_jobs, read_job
from .kinds import KINDS, command

__all__ = ["go_on", "start", "stop"]

_STARTS = ".starting.lock.db"
"""Two clicks at once start one job."""
_PROCESS = "galloway.pipeline.cli.run_job"
_PATIENCE = 15.0
"""Seconds that a page waits for the process to come up; it comes up all the same where that takes longer."""


def start(
    workspace: Workspace, kind: str, choices: Mapping[str, str], *, files: tuple[str, ...] = (), by: str = ""
) -> Job:
    """Start a command as a job of its own. Raises StageError for choices that do not fit, and WorkspaceBusy where a job
    of that kind runs already."""
    command(kind, choices, files)
    folder = workspace.path(FOLDER, "x").parent
    with held(folder, _STARTS, "starting a job", _PATIENCE):
        for job in all_jobs(workspace):
            if job.running and job.kind == kind:
                raise WorkspaceBusy(
                    f"“{job.title}” is at work already, since {job.started_at.astimezone():%d %b %H:%M}."
                )
        return _started(workspace, folder, kind, choices, files, by)


def go_on(workspace: Workspace, job: Job, *, by: str = "") -> Job:
    """Start again what was stopped, failed or was killed: the command goes on where it was."""
    if not job.may_go_on:
        raise StageError(f"“{job.title}” is {job.state}: there is nothing to go on with.")
    return start(workspace, job.kind, job.choices, by=by)


def stop(workspace: Workspace, job: Job) -> bool:
    """Interrupt a job as Ctrl-C does: training saves first. False where it does not run."""
    if job.state != "running" or not job.pid:
        return False
    # It holds its lock, and wrote this number when it took it: the number is nobody else's.
    write_atomic(job.folder / "stop.json", "{}", durable=False, private=True)
    os.kill(job.pid, signal.SIGINT)
    note_act(workspace, "stop", job.title)
    return True


def _started(
    workspace: Workspace, folder: Path, kind: str, choices: Mapping[str, str], files: tuple[str, ...], by: str
) -> Job:
    now = datetime.now(UTC)
    own = folder / f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    own.mkdir()
    asked = {
        "kind": kind,
        "choices": {name: text for name, text in choices.items() if text},
        "files": list(files),
        "by": by,
        "started_at": now.isoformat(),
    }
    # A job that is killed writes no row of its own: this one says who began it.
    note_act(workspace, "start", KINDS[kind].title)
    write_atomic(own / "job.json", json.dumps(asked, indent=2) + "\n", private=True)
    words = [sys.executable, "-m", _PROCESS, str(workspace.root), own.name]
    with (own / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=workspace.root
        )
    threading.Thread(target=process.wait, name=f"job {own.name}", daemon=True).start()  # no zombie while we live
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None and not (own / "begun.json").is_file():
        time.sleep(0.05)
    job = read_job(own)
    assert job is not None, f"{KINDS[kind].title} was written a moment ago"
    return replace(job, state="failed") if job.state == "starting" and process.poll() is not None else job
