"""A merge or undo that dies at any step, and a disk that says no at any step: nothing is lost, `recover` mends."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from galloway.curation.errors import FacesetError
from galloway.curation.faceset.merging.merge import (
    FacesetPaths,
    MergePlan,
    apply_merge,
    pending,
    plan_merge,
    recover,
    undo_merge,
)
from galloway.curation.faceset.verify import verify

from tests.support import small_disk
from tests.support.faceset import build_faceset, decide, paths_of, visible

FRAMES = {"clip": {1: 1, 4: 3}, "other": {1: 2}}
GONE = {"clip_000001_0.png": "blurred", "clip_000004_0.png": "covered", "other_000001_1.png": "bad_crop"}


def prepared(root: Path) -> FacesetPaths:
    """A faceset of two sources in which one face was renamed by hand."""
    built = build_faceset(root, FRAMES, size=4)
    (built.faces / "other_000001_0.png").rename(built.faces / "by_hand.png")
    return paths_of(built)


class Steps:
    """A checkpoint that counts, and does `act` before step `at`."""

    def __init__(self, at: int = -1, act: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self.at, self.act = at, act

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.at + 1:
            self.act()


def outcomes(root: Path) -> tuple[dict[str, bytes], dict[str, bytes], int, int]:
    """The faceset before and after the merge, and the number of steps of apply and of undo."""
    paths = prepared(root)
    before = visible(paths)
    apply_steps, undo_steps = Steps(), Steps()
    apply_merge(plan_merge(paths, decide(paths, GONE)), checkpoint=apply_steps)
    after = visible(paths)
    undo_merge(paths, checkpoint=undo_steps)
    assert visible(paths) == before
    return before, after, len(apply_steps.names), len(undo_steps.names)


def killed(action: Callable[[Steps], object], at: int) -> None:
    """Run `action` in a child that kills itself with SIGKILL before step `at`."""
    child = os.fork()
    if child == 0:
        action(Steps(at, lambda: os.kill(os.getpid(), signal.SIGKILL)))
        os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def no_face_lost(paths: FacesetPaths, before: dict[str, bytes]) -> None:
    """Every picture of before is somewhere: in the folder (perhaps with a new header) or among the rejected."""
    idat = {data[data.index(b"IDAT") :] for name, data in before.items() if name.endswith(".png")}
    found = set()
    for folder in (paths.faces_dir, paths.rejected_dir):
        for path in folder.rglob("*.png"):
            data = path.read_bytes()
            found.add(data[data.index(b"IDAT") :])
    assert idat <= found
    assert {p.name for p in paths.alignments_dir.iterdir() if not p.name.startswith(".")} == {
        "clip_alignments.fsa",
        "other_alignments.fsa",
    }, "alignments are there at every instant"


def test_apply_killed_at_every_step(tmp_path: Path) -> None:
    before, after, steps, _ = outcomes(tmp_path / "whole")
    assert steps > 20
    ended = set()
    for at in range(steps):
        paths = prepared(tmp_path / f"apply{at}")
        plan = plan_merge(paths, decide(paths, GONE))
        killed(lambda checkpoint, plan=plan: apply_merge(plan, checkpoint=checkpoint), at)
        no_face_lost(paths, before)
        recover(paths)
        assert pending(paths) == []
        assert recover(paths).is_empty
        state = visible(paths)
        assert state in (before, after), f"step {at}"
        ended.add(state == after)
        if state == before:
            apply_merge(plan_merge(paths, decide(paths, GONE)))
            assert visible(paths) == after
        undo_merge(paths)
        assert visible(paths) == before
    assert ended == {False, True}


def test_undo_killed_at_every_step(tmp_path: Path) -> None:
    before, after, _, steps = outcomes(tmp_path / "whole")
    assert steps > 10
    for at in range(steps):
        paths = prepared(tmp_path / f"undo{at}")
        apply_merge(plan_merge(paths, decide(paths, GONE)))
        killed(lambda checkpoint, paths=paths: undo_merge(paths, checkpoint=checkpoint), at)
        no_face_lost(paths, before)
        recover(paths)
        assert pending(paths) == []
        state = visible(paths)
        assert state in (before, after), f"step {at}"
        if state == after:
            undo_merge(paths)
            assert visible(paths) == before


def test_recovery_itself_killed_at_every_step(tmp_path: Path) -> None:
    before, after, steps, _ = outcomes(tmp_path / "whole")
    for at in range(8, steps, 5):
        first = prepared(tmp_path / f"count{at}")
        killed(lambda c, p=first: apply_merge(plan_merge(p, decide(p, GONE)), checkpoint=c), at)
        counted = Steps()
        recover(first, checkpoint=counted)
        for second in range(0, len(counted.names), 3):
            paths = prepared(tmp_path / f"recover{at}-{second}")
            killed(lambda c, p=paths: apply_merge(plan_merge(p, decide(p, GONE)), checkpoint=c), at)
            killed(lambda c, p=paths: recover(p, checkpoint=c), second)
            no_face_lost(paths, before)
            recover(paths)
            assert visible(paths) in (before, after)
            assert pending(paths) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_says_no_once_leaves_all_or_nothing(tmp_path: Path, number: int) -> None:
    before, after, steps, _ = outcomes(tmp_path / "whole")

    def refuse() -> None:
        raise OSError(number, os.strerror(number), "the disk")

    for at in range(steps):
        paths = prepared(tmp_path / f"full{at}")
        plan = plan_merge(paths, decide(paths, GONE))
        with pytest.raises(FacesetError, match=os.strerror(number)) as caught:
            apply_merge(plan, checkpoint=Steps(at, refuse))
        no_face_lost(paths, before)
        if "galloway faceset recover" in str(caught.value):
            recover(paths)
            assert visible(paths) == after, f"step {at}"
        else:
            assert visible(paths) == before, f"step {at}"
            assert pending(paths) == []


def test_a_disk_that_goes_on_saying_no_is_mended_later(tmp_path: Path) -> None:
    before, after, steps, undo_steps = outcomes(tmp_path / "whole")

    class Full(Steps):
        def __call__(self, name: str) -> None:
            self.names.append(name)
            if len(self.names) > self.at:
                raise OSError(errno.ENOSPC, "No space left on device", name)

    for at in range(steps):
        paths = prepared(tmp_path / f"full{at}")
        plan = plan_merge(paths, decide(paths, GONE))
        with pytest.raises(FacesetError, match="No space left"):
            apply_merge(plan, checkpoint=Full(at))
        no_face_lost(paths, before)
        recover(paths)
        assert visible(paths) in (before, after)
    for at in range(undo_steps):
        paths = prepared(tmp_path / f"undo{at}")
        apply_merge(plan_merge(paths, decide(paths, GONE)))
        with pytest.raises(FacesetError, match="No space left"):
            undo_merge(paths, checkpoint=Full(at))
        no_face_lost(paths, before)
        recover(paths)
        assert visible(paths) in (before, after)


def test_files_that_may_not_grow_leave_all_or_nothing(tmp_path: Path) -> None:
    """The system's own refusal, by RLIMIT_FSIZE: every write past so many bytes of one file is EFBIG."""
    before, after, _, _ = outcomes(tmp_path / "whole")
    ended: list[str] = []
    for action, start in (("apply", before), ("undo", after)):
        for limit in (0, 100, 700, 2000, 5000, 20_000, 1 << 20):
            paths = prepared(tmp_path / f"{action}{limit}")
            plan = plan_merge(paths, decide(paths, GONE))
            if action == "undo":
                apply_merge(plan)
            said = limited(limit, lambda paths=paths, plan=plan, a=action: run(a, paths, plan))  # type: ignore[misc]
            no_face_lost(paths, before)
            if said == "Nothing was changed":
                assert visible(paths) == start
            elif said == "galloway faceset recover":
                assert [problem.kind for problem in verify(paths)] == ["unfinished"]
            recover(paths)
            assert visible(paths) in (before, after)
            assert not any(problem.stops for problem in verify(paths))
            ended.append(said)
    assert ended[0] == "Nothing was changed"
    assert ended.count("done") >= 2


def run(action: str, paths: FacesetPaths, plan: MergePlan) -> None:
    """Apply or take back."""
    if action == "apply":
        apply_merge(plan)
    else:
        undo_merge(paths)


def limited(size: int, action: Callable[[], object]) -> str:
    """What `action` says in a child whose files may not grow past `size` bytes."""
    says = ("done", "Nothing was changed", "galloway faceset recover")
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        code = 0
        try:
            action()
        except FacesetError as error:
            code = next((says.index(text) for text in says if text in str(error)), 9)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return says[os.waitstatus_to_exitcode(status)]


@pytest.mark.mount
@pytest.mark.timeout(300)
def test_a_disk_that_really_fills_up(tmp_path: Path) -> None:
    """Whatever room is left at first: all or nothing. Whatever moment another process takes the rest: no face is lost,
    `verify` names the one command, which goes on where there is room again."""
    command = [*small_disk.COMMAND, sys.executable, "-m", "tests.support.small_disk", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert sum(row["error"] is None for row in rows) >= 2
    for row in rows:
        assert row["lost"] == row["lost_then"] == [], row
        assert row["problems"] == [], row
        assert row["whole"], row
        if row["error"] is None:
            assert not row["kept"] and row["recover"] is None, row
        elif "Nothing was changed" in row["error"]:
            assert row["kept"] and row["remedies"] == [], row
        else:
            assert "galloway faceset recover" in row["error"], row
            assert row["remedies"] == ["galloway faceset recover OPTIONS"], row
            assert "no face is lost" in row["recover"], row
    halves = [row for row in rows if row["remedies"]]
    assert {row["action"] for row in halves} == {"apply", "undo"}
    assert not any(row["remedies"] for row in rows if row["full_at_first"]), "what is too full says so at once"


def test_a_face_that_vanishes_meanwhile_is_noted(tmp_path: Path) -> None:
    paths = prepared(tmp_path / "set")
    plan = plan_merge(paths, decide(paths, GONE))
    victim = paths.faces_dir / "clip_000001_0.png"

    def vanish(name: str) -> None:
        if name.startswith("rename clip_000001_0.png"):
            victim.unlink()

    result = apply_merge(plan, checkpoint=vanish)
    assert result.notes == ("clip_000001_0.png vanished while the merge was under way",)
    undo_merge(paths)
    assert not victim.exists()
    assert pending(paths) == []
