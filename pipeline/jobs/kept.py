"""What a workspace keeps of its jobs, and how each one stands. Nothing here writes.

jobs/<id>/job.json        what was asked for, by whom, when; written before the process starts
jobs/<id>/.lock.db        held by the process as long as it lives: the lock says whether a job runs, not a number
jobs/<id>/begun.json      the process, written when it holds the lock
jobs/<id>/progress.json   how far it is, now and then
jobs/<id>/log.txt         what it said
jobs/<id>/stop.json       a person asked it to stop
jobs/<id>/ended.json      its exit code; a job that was killed leaves none
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..workspace.folder import Workspace
from ..workspace.held import LOCK, is_held
from ..workspace.state import json_object
from .kinds import KINDS

__all__ = ["FOLDER", "Job", "all_jobs", "find_job", "last_lines", "read_job", "trouble"]

FOLDER = "jobs"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}", re.ASCII)
_STARTING = 60.0
"""Seconds that a process may take until it holds its lock; after that it never came up."""
_ENDS = {0: "done", 3: "nothing", 5: "busy", 130: "stopped"}
_TROUBLE = "Error: "
_TAIL = 64 << 10


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was read. `state` is starting, running, done, nothing (there was nothing to do), busy
    (another command was at work), stopped (by a person), failed, or killed. `pid` is 0 unless it runs."""

    id: str
    folder: Path
    kind: str
    choices: dict[str, str]
    files: tuple[str, ...]
    by: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    pid: int
    what: str
    done: int
    total: int | None
    pace: str
    dashboard: str = ""
    """Where the cluster that works for it shows itself; empty where none does."""

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    @property
    def running(self) -> bool:
        return self.state in ("starting", "running")

    @property
    def may_go_on(self) -> bool:
        """Whether the same command, started again, does what is left. Files that a person named are named anew."""
        return self.state in ("stopped", "failed", "killed", "busy") and not KINDS[self.kind].takes_files


def all_jobs(workspace: Workspace) -> list[Job]:
    """The jobs of a workspace, newest first; what is no job there is left out."""
    folder = workspace.root / FOLDER
    names = [path.name for path in folder.iterdir() if _ID.fullmatch(path.name)] if folder.is_dir() else []
    return [job for name in sorted(names, reverse=True) if (job := read_job(folder / name)) is not None]


def find_job(workspace: Workspace, job_id: str) -> Job | None:
    """The job of that id; None where there is none."""
    return read_job(workspace.root / FOLDER / job_id) if _ID.fullmatch(job_id) else None


def read_job(folder: Path) -> Job | None:
    """A job from its folder; None where there is none, or one of a kind that this version does not know."""
    asked = _read(folder / "job.json")
    kind, choices, files = asked.get("kind"), asked.get("choices"), asked.get("files")
    started = _moment(asked.get("started_at"))
    if kind not in KINDS or not isinstance(choices, dict) or not isinstance(files, list) or started is None:
        return None
    # In this order: one that begins or ends meanwhile never looks killed.
    begun = _read(folder / "begun.json")
    running = is_held(folder / LOCK)
    ended, progress = _read(folder / "ended.json"), _read(folder / "progress.json")
    state = _state(running, begun, ended, started)
    if state == "done" and (folder / "stop.json").is_file():
        state = "stopped"  # a command that saves and ends well when it is interrupted
    total = progress.get("total")
    return Job(
        folder.name,
        folder,
        str(kind),
        {str(name): str(text) for name, text in choices.items()},
        tuple(str(path) for path in files),
        str(asked.get("by", "")),
        started,
        _moment(ended.get("at")),
        state,
        _whole(begun.get("pid")) if state == "running" else 0,
        str(progress.get("what", "")),
        _whole(progress.get("done")),
        _whole(total) if total is not None else None,
        str(progress.get("pace", "")),
        _web_address(progress.get("dashboard")),
    )


def last_lines(job: Job, most: int = 200) -> list[str]:
    """The end of what a job said."""
    try:
        with (job.folder / "log.txt").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            return stream.read().decode(errors="replace").splitlines()[-most:]
    except OSError:
        return []


def trouble(job: Job) -> str:
    """Why a job failed, in the words that it said last; "" where it did not say."""
    lines = last_lines(job) if job.state == "failed" else []
    at = max((place for place, line in enumerate(lines) if line.startswith(_TROUBLE)), default=-1)
    return " ".join(lines[at:]).removeprefix(_TROUBLE).strip() if at >= 0 else ""


def _state(running: bool, begun: dict[str, Any], ended: dict[str, Any], started: datetime) -> str:
    if "code" in ended:
        return _ENDS.get(_whole(ended["code"], 1), "failed")
    if running:
        return "running"
    young = (datetime.now(UTC) - started).total_seconds() < _STARTING
    return "starting" if young and not begun else "killed"


def _read(path: Path) -> dict[str, Any]:
    try:
        return json_object(path.read_bytes()) or {}
    except OSError:
        return {}


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _web_address(value: object) -> str:
    return value if isinstance(value, str) and value.startswith(("http://", "https://")) else ""


def _whole(value: object, other: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else other
