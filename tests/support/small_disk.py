"""A merge and its undo on a disk that really fills up: a tmpfs of its own, in a mount namespace of its own.

    unshare -Urm python -m tests.support.small_disk FOLDER

The disk goes away with the process. Prints what happened at each amount of free space, as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from galloway.curation.errors import FacesetError
from galloway.curation.faceset.merging.merge import FacesetPaths, apply_merge, plan_merge, recover, undo_merge
from galloway.curation.faceset.verify import verify

from tests.support.faceset import Built, build_faceset, decide, paths_of, visible

__all__ = ["COMMAND", "can_mount", "fill"]

FRAMES = {"clip": {1: 1, 4: 3}, "other": {1: 2, **dict.fromkeys(range(2, 30), 1)}}
"""Enough faces that what is remembered of them takes more room than the merge itself."""
GONE = {"clip_000001_0.png": "blurred", "clip_000004_0.png": "covered", "other_000001_1.png": "bad_crop"}
COMMAND = ("unshare", "--user", "--map-root-user", "--mount")
PAGE = 4096
_SIZE = 8 << 20


def can_mount() -> bool:
    """Whether this machine lets a process have a disk of its own: Linux with user namespaces."""
    with suppress(OSError, subprocess.SubprocessError):
        command = [*COMMAND, "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    return False


def fill(ballast: Path, *, leave: int) -> None:
    """Write `ballast` until `leave` bytes are free."""
    stat = os.statvfs(ballast.parent)
    size = stat.f_bavail * stat.f_frsize - leave
    with ballast.open("wb") as stream, suppress(OSError):
        os.posix_fallocate(stream.fileno(), 0, max(0, size))


class Filling:
    """A checkpoint: from its step `at` on, somebody else takes all room there is, again and again."""

    def __init__(self, ballast: Path, at: int) -> None:
        self.ballast, self.at, self.steps = ballast, at, 0

    def __call__(self, _step: str) -> None:
        self.steps += 1
        if self.steps > self.at:
            fill(self.ballast.with_name(f"ballast{self.steps}"), leave=0)


def _attempt(made: Path, disk: Path, action: str, *, leave: int = 1 << 20, at: int = 1 << 20) -> dict[str, Any]:
    """One merge or undo with `leave` bytes free, or with a disk that is full from step `at` on: what it said, how the
    faceset stood, and how it stood when mended."""
    root = disk / "set"
    shutil.copytree(made, root)
    paths = paths_of(Built(root, root / "faces", root / "alignments"))
    decisions = decide(paths, GONE)
    before = visible(paths)
    if action == "undo":
        apply_merge(plan_merge(paths, decisions))
    start = visible(paths)
    plan = plan_merge(paths, decisions) if action == "apply" else None
    filling = Filling(disk / "ballast", at)
    fill(filling.ballast, leave=leave)
    error = _error(
        lambda: apply_merge(plan, checkpoint=filling) if plan is not None else undo_merge(paths, checkpoint=filling)
    )
    row: dict[str, Any] = {
        "action": action,
        "full_at_first": leave < 1 << 20,
        "pages": leave // PAGE,
        "steps": filling.steps,
        "error": error,
        "kept": visible(paths) == start,
        "lost": _lost(paths, before),
        "remedies": [problem.remedy for problem in verify(paths)],
        "recover": _error(lambda: recover(paths)),
        "lost_then": _lost(paths, before),
    }
    for ballast in disk.glob("ballast*"):
        ballast.unlink()
    recover(paths)
    mended = visible(paths)
    row["mended"] = "before" if mended == before else "after"
    row["problems"] = [problem.kind for problem in verify(paths)]
    if mended == before:
        apply_merge(plan_merge(paths, decisions))
    undo_merge(paths)
    row["whole"] = visible(paths) == before
    shutil.rmtree(root)
    return row


def _error(action: Callable[[], object]) -> str | None:
    try:
        action()
    except FacesetError as error:
        return str(error)
    return None


def _lost(paths: FacesetPaths, before: dict[str, bytes]) -> list[str]:
    """Pictures of before that are nowhere any more."""
    found = set()
    for folder in (paths.faces_dir, paths.rejected_dir):
        for path in folder.rglob("*.png"):
            data = path.read_bytes()
            found.add(data[data.index(b"IDAT") :])
    return [name for name, data in before.items() if name.endswith(".png") and data[data.index(b"IDAT") :] not in found]


def main(folder: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)], check=True)
    rows = []
    made = build_faceset(folder / "made", FRAMES, size=4).root
    for action in ("apply", "undo"):
        for pages in (*range(0, 12, 2), *range(12, 100, 5)):
            rows.append(_attempt(made, folder, action, leave=pages * PAGE))
            if rows[-1]["error"] is None:
                break
        for at in range(0, rows[-1]["steps"], 5):
            rows.append(_attempt(made, folder, action, at=at))
    print(json.dumps(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
