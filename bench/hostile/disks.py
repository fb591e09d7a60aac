"""Disks that are really full, read-only or limited: a tmpfs and read-only mounts in a mount namespace of this process.

    unshare --user --map-root-user --mount python -m bench.hostile.disks FOLDER SEED COUNT

Each fault is followed by the same command on a good disk, which must come to its end. Prints the tally's rows as JSON.
Where mounting is not permitted, `RLIMIT_FSIZE` (no file may grow beyond so many bytes) is the means, here and there.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.small_disk import COMMAND, can_mount, fill

from .kills import note
from .processes import command, forked, preload
from .scenes import Act, acts, build_stages, copied, damaged, line_of
from .tally import Tally

_SIZE = 48 << 20


def disks(tally: Tally, rng: random.Random, count: int, folder: Path) -> str:
    """Run all of it in a process of its own; says what the means were."""
    mounts = can_mount()
    line = [sys.executable, "-m", "bench.hostile.disks", str(folder), str(rng.randrange(1 << 30)), str(count)]
    done = subprocess.run(
        [*(COMMAND if mounts else ()), *line], capture_output=True, text=True, timeout=1200, check=False
    )
    if done.returncode:
        tally.note("disks, real", "traceback", done.stderr[-600:])
    else:
        tally.merge(json.loads(done.stdout))
    return "tmpfs, read-only mounts, RLIMIT_FSIZE" if mounts else "RLIMIT_FSIZE only: this machine permits no mounts"


def _mount(*args: str) -> None:
    subprocess.run(["mount", *args], check=True, capture_output=True)


def _tried(
    tally: Tally, name: str, act: Act, line: tuple[str, ...], root: Path, log: Path, mend: Callable[[], None]
) -> None:
    """The command on the bad disk, where it may say why it cannot; then on the good one, where it must end."""
    note(tally, name, forked(command(root, *line), log), (*act.done, 1, 4))
    mend()
    note(tally, name, forked(command(root, *line), log), act.done)
    wrong = [*act.check(root), *damaged(root)]
    tally.note(name, "right" if not wrong else wrong[0].partition(":")[0], f"{act.name}: {'; '.join(wrong)}")


def _full(tally: Tally, rng: random.Random, act: Act, line: tuple[str, ...], root: Path, log: Path) -> None:
    ballast = root.parent / "ballast"
    fill(ballast, leave=rng.choice((0, 4096, 16_384, rng.randrange(600_000), rng.randrange(200_000))))
    tally.real("full disks")
    _tried(tally, "disk full", act, line, root, log, ballast.unlink)


def _read_only(tally: Tally, rng: random.Random, act: Act, line: tuple[str, ...], root: Path, log: Path) -> None:
    """The whole workspace, its database alone, or one folder of it."""
    place = rng.choice((root, root, root / "galloway.db", root / "facesets", root / "sources", root / "market"))
    if not place.exists():
        place = root
    _mount("--bind", str(place), str(place))
    _mount("-o", "remount,ro,bind", str(place))
    tally.real("read-only disks")
    _tried(tally, "read-only", act, line, root, log, lambda: _umount(place))


def _umount(place: Path) -> None:
    subprocess.run(["umount", str(place)], check=True)


def _limited(tally: Tally, rng: random.Random, act: Act, line: tuple[str, ...], root: Path, log: Path) -> None:
    """No file may grow beyond so many bytes: the write that would fails with EFBIG."""
    most = rng.choice((0, 512, 4096, rng.randrange(200_000)))

    def limited() -> object:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        return command(root, *line)()

    tally.real("file size limits")
    ended = forked(limited, log)
    note(tally, "file size limit", ended, (*act.done, 1, 4))
    _tried(tally, "file size limit", act, line, root, log, lambda: None)


def main() -> None:
    folder, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    tally, rng, mounts = Tally(), random.Random(seed), can_mount()
    preload()
    work = folder / "stages"
    work.mkdir()
    stages = build_stages(work)
    todo = [act for act in acts(stages) if act.name != "status"]
    disk = folder / "disk"
    disk.mkdir()
    if mounts:
        _mount("-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(disk))
    ways = (_full, _read_only, _limited) if mounts else (_limited,)
    for number in range(count):
        act, way = rng.choice(todo), ways[number % len(ways)]
        root = copied(stages[act.stage], disk / "now")
        way(tally, rng, act, line_of(act, root), root, folder / "disk.log")
    print(json.dumps(tally.as_rows()))


if __name__ == "__main__":
    main()
