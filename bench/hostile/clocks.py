"""A market server and its clients under a clock that really steps, by hours and days: libfaketime in both processes.

    LD_PRELOAD=libfaketime.so.1 FAKETIME_TIMESTAMP_FILE=F python -m bench.hostile.clocks FOLDER SEED COUNT

Time that passes (the monotonic clock) stays as it is. A HIT lasts 20 hours, work is approved after 20: steps of two
days may end neither, nor make an answer older than its acceptance. Prints the tally's rows as JSON.
"""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import marketplace

from .kills import ForkedServer
from .processes import preload
from .scenes import damaged
from .tally import Tally

_STEPS = ("+2d", "-1h", "+0", "+26h", "-2d", "+90m", "-30m")


def find_library() -> str:
    """libfaketime (Debian: apt-get install faketime), or ""."""
    places = (*Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), Path("/usr/lib/faketime/libfaketime.so.1"))
    return next((str(path) for path in places if path.is_file()), "")


def clocks(tally: Tally, rng: random.Random, count: int, folder: Path) -> str:
    """Run it in a process of its own; says what the means was."""
    library = find_library()
    if not library:
        return "injected clocks only: there is no libfaketime here"
    stamp = folder / "offset"
    stamp.write_text("+0", encoding="ascii")
    faked = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "OMP_NUM_THREADS": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    line = [sys.executable, "-m", "bench.hostile.clocks", str(folder), str(rng.randrange(1 << 30)), str(count)]
    done = subprocess.run(line, env={**os.environ, **faked}, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        tally.note("clock steps, real", "traceback", (done.stderr or done.stdout)[-600:])
    else:
        tally.merge(json.loads(done.stdout.splitlines()[-1]))
    return "libfaketime"


def _hits(client: Any, count: int) -> str:
    made: dict[str, Any] = {}
    for number in range(count):
        made = client.create_hit(
            Title="Keep", Description="x", Reward="0.05", LifetimeInSeconds=72_000, AssignmentDurationInSeconds=3600,
            AutoApprovalDelayInSeconds=72_000, MaxAssignments=1, Question=marketplace.QUESTION,
            RequesterAnnotation=f"c{number}",
        )["HIT"]  # fmt: skip
    return str(made["HITGroupId"])


def main() -> None:
    folder, rng, count = Path(sys.argv[1]), random.Random(int(sys.argv[2])), int(sys.argv[3])
    stamp, tally = Path(os.environ["FAKETIME_TIMESTAMP_FILE"]), Tally()
    preload()
    # libfaketime 0.9.10 refuses the absolute clock_nanosleep by which Python sleeps.
    time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment]
    state = folder / "clock-market"
    state.mkdir()
    server = ForkedServer(state)
    server.start()
    client, _, cookies, _ = marketplace.prepare(server, 1, 1)
    group = _hits(client, count)
    wall, steady = time.time(), time.monotonic()
    site, frames = marketplace.Link(server.worker, {"Cookie": cookies[0]}), marketplace.Link(server.frames)
    sent = 0
    for _ in range(count):
        status, headers, _ = site.post(f"/projects/{group}/accept", {})
        _step(tally, stamp, rng)
        assignment = headers["Location"].rstrip("/").rpartition("/")[2] if status == 303 else ""
        told = frames.post("/mturk/externalSubmit", {"assignmentId": assignment, "face.k1": "keep"})[0]
        sent += told == 200
        tally.note("clock steps", "right" if told == 200 else "lost", f"accept {status}, submit {told}")
        _step(tally, stamp, rng)
    stamp.write_text("+0", encoding="ascii")
    _judge(tally, client, sent, abs((time.time() - wall) - (time.monotonic() - steady)))
    server.stop()
    client.close()
    log = (state / "server.log").read_text(encoding="utf-8", errors="replace")
    if "Traceback (most recent call last)" in log:
        tally.note("clock steps", "traceback", log[log.index("Traceback") :][:300])
    for line in damaged(state):
        tally.note("clock steps", "lost", line)
    print(json.dumps(tally.as_rows()))


def _step(tally: Tally, stamp: Path, rng: random.Random) -> None:
    before = time.time()
    stamp.write_text(rng.choice(_STEPS), encoding="ascii")
    if abs(time.time() - before) > 60:
        tally.real("clock steps")


def _judge(tally: Tally, client: Any, sent: int, off: float) -> None:
    """Nothing was approved or ended by a step, every answer is there and not older than its acceptance."""
    found = []
    for page in client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100}):
        for hit in page["HITs"]:
            found += client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    early = [item["AssignmentId"] for item in found if item["AssignmentStatus"] != "Submitted"]
    older = [item["AssignmentId"] for item in found if item["SubmitTime"] < item["AcceptTime"]]
    tally.note("clock steps", "right" if len(found) == sent else "lost", f"{len(found)} answers of {sent}")
    for what, names in (("settled by a step", early), ("older than its acceptance", older)):
        if names:
            tally.note("clock steps", "wrong", f"{len(names)} {what}")
    if off > 5:
        tally.note("clock steps", "wrong", f"the clock is {off:.0f} s off at the end: the library was not in force")


if __name__ == "__main__":
    main()
