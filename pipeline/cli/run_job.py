"""The process of a job that a page started: `python -m galloway.pipeline.cli.run_job WORKSPACE ID`.

It is the command that the job's file names, with what it says going to the job's log. People run the command itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from ...curation.files import write_atomic
from ..errors import StageError
from ..jobs.kept import Job, find_job
from ..jobs.kinds import command
from ..jobs.progress import PROGRESS, tell_to
from ..workspace.acts import OWNER, act_as
from ..workspace.folder import Workspace
from ..workspace.held import LOCK, held
from .console import emit
from .main import main

__all__ = ["run_job"]


def run_job(root: Path, job_id: str) -> int:
    """Run a job that was written a moment ago, holding its lock; its exit code. Raises StageError for one that ran."""
    workspace = Workspace.open(root)
    job = find_job(workspace, job_id)
    if job is None:
        raise StageError(f"There is no job {job_id[:60]!r}.")
    words = command(job.kind, job.choices, job.files)
    with held(job.folder, LOCK, "running a job", 10):
        if (job.folder / "begun.json").exists():
            raise StageError(f"The job {job.id} was started before. Start a new one in the browser: galloway serve")
        _note(job, "begun.json", {"pid": os.getpid()})
        tell_to(job.folder / PROGRESS)
        emit(f"galloway {' '.join(words)}", err=True)
        act_as(job.by or OWNER, "page")
        code = _code(["-w", str(workspace.root), *words])
        _note(job, "ended.json", {"code": code})
    return code


def _note(job: Job, name: str, values: dict[str, int]) -> None:
    told = {**values, "at": datetime.now(UTC).isoformat()}
    write_atomic(job.folder / name, json.dumps(told), private=True)


def _code(words: list[str]) -> int:
    """The exit code of a command of ours, run here."""
    try:
        main(words)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    # A server that was started in the background has children that do not hear Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(run_job(Path(sys.argv[1]), sys.argv[2]))
    except (StageError, KeyboardInterrupt) as wrong:
        sys.exit(str(wrong) or 130)
