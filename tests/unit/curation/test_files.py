"""Writing whole, and writing once: what real processes that start together leave behind."""

from __future__ import annotations

import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from galloway.curation.errors import FacesetError
from galloway.curation.files import TEMPORARY, beside, replacing, write_atomic, write_once
from galloway.pipeline.market.pictures import hosting_secret

from tests.support.patience import PATIENCE

ROUNDS = 12
RACERS = 4


def _secret(folder: Path, _racer: int) -> bytes:
    return hosting_secret(folder)


def _once(folder: Path, racer: int) -> bytes:
    return write_once(folder / "id", f"{racer}" * 100_000)


def _whole(folder: Path, racer: int) -> bytes:
    write_atomic(folder / "table", f"{racer}" * 100_000, durable=False)
    return (folder / "table").read_bytes()


def _racer(act: Callable[[Path, int], bytes], root: Path, racer: int, barrier: object, answers: object) -> None:
    for number in range(ROUNDS):
        barrier.wait(PATIENCE)  # type: ignore[attr-defined]
        answers.put((number, act(root / str(number), racer)))  # type: ignore[attr-defined]


def race(act: Callable[[Path, int], bytes], root: Path) -> dict[int, list[bytes]]:
    """What each of several processes got in each round, all of them starting a round at the same instant."""
    for number in range(ROUNDS):
        (root / str(number)).mkdir()
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(RACERS), spawn.Queue()
    # Daemons: where the test fails, racers that still have answers to give do not keep the whole run from ending.
    racers = [
        spawn.Process(target=_racer, args=(act, root, number, barrier, answers), daemon=True)
        for number in range(RACERS)
    ]
    for item in racers:
        item.start()
    found: dict[int, list[bytes]] = {}
    for _ in range(ROUNDS * RACERS):
        number, answer = answers.get(timeout=PATIENCE)
        found.setdefault(number, []).append(answer)
    for item in racers:
        item.join(PATIENCE)
    return found


@pytest.mark.parametrize("act", [_secret, _once])
def test_processes_that_start_together_agree_on_what_is_made_once(
    act: Callable[[Path, int], bytes], tmp_path: Path
) -> None:
    for number, answers in race(act, tmp_path).items():
        assert len(set(answers)) == 1, f"round {number}"
        assert act(tmp_path / str(number), 9) == answers[0]
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_of_two_that_write_at_once_one_stands_whole(tmp_path: Path) -> None:
    for answers in race(_whole, tmp_path).values():
        assert all(len(answer) == 100_000 and len(set(answer)) == 1 for answer in answers)
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_what_is_private_only_its_owner_reads(tmp_path: Path) -> None:
    write_once(tmp_path / "market" / "key", b"secret")
    write_atomic(tmp_path / "list", "names", private=True)
    for path in (tmp_path / "market" / "key", tmp_path / "list"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_hard_links_it_is_made_once_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(_source: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert write_once(tmp_path / "key", b"first") == b"first"
    assert write_once(tmp_path / "key", b"second") == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_writer_that_wants_a_name_gets_one_beside(tmp_path: Path) -> None:
    target = tmp_path / "clip.mp4"
    target.write_bytes(b"old")
    beside(target).write_bytes(b"left by a killed run")
    with pytest.raises(RuntimeError, match="encoder"), replacing(target) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("encoder")
    assert target.read_bytes() == b"old"
    with replacing(target) as partial:
        assert (partial.suffix, partial.parent) == (".mp4", tmp_path)
        partial.write_bytes(b"new")
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_what_cannot_be_written_says_so_and_leaves_the_old(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FacesetError, match="folder cannot be written"):
        write_atomic(tmp_path / "folder", b"1")
    (tmp_path / "file").touch()
    with pytest.raises(FacesetError, match="key cannot be written"):
        write_once(tmp_path / "file" / "key", b"1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
