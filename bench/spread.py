"""What it costs and brings to spread extraction and conversion over workers, measured to two and simulated to 64.

    python -m bench.spread [VIDEO] [--frames N] [--step extract|convert] [--quick]

A Dask cluster on this machine, scheduler and workers in processes of their own (one thread each), extracts and
converts the same film with one worker and with two, after a short film that loads the models; beside it this process
alone, which is the peer. By processor seconds a frame: what workers and the process that gives the work use together,
more than this process alone (the overhead, without Dask's scheduler), and what of it only that one process can do. By
the clock: growth from one worker to two, next to the machine's load, which it suffers from; by the processor: the same
without the load, as all that workers used by the most that one of them used. The results are compared byte by byte.

The growth to 64 is no measurement: a queueing model is fitted to the costs measured here. Parts, with the processor
seconds that each took, are given to workers, two ahead; a result takes the giving process its measured time a part, one
after another, in order where a film is written. Machines are taken to be like this one's cores, a shared disk to be no
limit.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.deploy.subprocess import SubprocessCluster
from galloway.curation.spread import Spread
from galloway.curation.types import Side, no_progress
from galloway.pipeline.demo.footage import make_footage
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, TrainRequest
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.spread.cluster import on_cluster

from .flow import first_frames

QUICK, WARM = 96, 64
WORKERS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Cost:
    """Processor seconds of one run and its seconds by the clock: of the giving process, of each part."""

    own: float
    parts: tuple[float, ...]
    wall: float
    result: Any
    most: float = 0.0
    """Of one worker."""

    @property
    def all(self) -> float:
        return self.own + sum(self.parts)


def main() -> None:
    """Parse the command line, measure, simulate and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?", help="default: the demo's footage")
    parser.add_argument("--frames", type=int, help="take so many frames only")
    parser.add_argument("--step", choices=["extract", "convert"], help="only this one")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} frames")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as room:
        root = Path(room)
        video = options.video or make_footage(root / "footage").clips[Side.A]
        limit = QUICK if options.quick else options.frames
        clip = first_frames(video, root / "clip.mp4", limit) if limit else video
        steps = [options.step] if options.step else ["extract", "convert"]
        print(json.dumps(measure(clip, root, steps)))


def measure(clip: Path, root: Path, steps: Sequence[str]) -> dict[str, Any]:
    """Figures of these steps."""
    short = first_frames(clip, root / "short.mp4", WARM)
    found = EmbeddedEngine().extract(_extraction(clip, root / "first"), no_progress)
    EmbeddedEngine().extract(_extraction(short, root / "first"), no_progress)
    faces = root / "first" / "faces"
    model = TrainRequest(faces, faces, root / "model", root / "work", iterations=1, timelapse=False)
    EmbeddedEngine().train(model, lambda _event: None)
    figures: dict[str, Any] = {"frames": found.frames}
    for step in steps:
        run = extracted if step == "extract" else converted
        costs = {0: _counted(run, clip, short, root, None)}
        for workers in (1, 2):
            with SubprocessCluster(
                "127.0.0.1", n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
            ) as cluster:
                costs[workers] = _counted(run, clip, short, root, cluster)
        figures[step] = told(step, costs, found.frames)
    return figures


def _extraction(clip: Path, folder: Path) -> ExtractRequest:
    return ExtractRequest(clip, folder / "faces", folder / f"{clip.stem}_alignments.fsa", folder / "work")


def extracted(clip: Path, root: Path, spread: Spread | None) -> Any:
    """One extraction; the digests of all PNGs."""
    with tempfile.TemporaryDirectory(dir=root) as room:
        request = _extraction(clip, Path(room))
        EmbeddedEngine(spread).extract(request, no_progress)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(request.faces_dir.iterdir())]


def converted(clip: Path, root: Path, spread: Spread | None) -> Any:
    """One conversion; the film's bytes. The film beside it and the sheet are left out: no worker makes them."""
    known = root / "first" / f"{clip.stem}_alignments.fsa"
    with tempfile.TemporaryDirectory(dir=root) as room:
        request = ConvertRequest(clip, known, root / "model", Path(room) / "film.mp4", root / "work", mark=7)
        EmbeddedEngine(spread).convert(request, no_progress)
        return request.output.read_bytes()


def _counted(run: Any, clip: Path, short: Path, root: Path, cluster: Any) -> Cost:
    """Run a step on a short film, by which models are loaded, then on the film, which is measured."""
    if cluster is None:
        run(short, root, None)
        began, wall = time.process_time(), time.monotonic()
        result = run(clip, root, None)
        return Cost(time.process_time() - began, (), time.monotonic() - wall, result)
    with (
        Client(cluster, set_as_default=False) as looker,
        on_cluster(cluster.scheduler_address, root, [], lambda _dashboard: None) as spread,
    ):
        run(short, root, spread)
        before = looker.run(time.process_time)
        pool = Timed(spread.pool)
        began, wall = time.process_time(), time.monotonic()
        result = run(clip, root, Spread(pool))
        own, wall = time.process_time() - began, time.monotonic() - wall
        each = [spent - before[worker] for worker, spent in looker.run(time.process_time).items()]
        used = sum(each)
    # What a worker used beside its parts (Dask's own) is spread over them.
    rest = (used - sum(pool.seconds)) / len(pool.seconds)
    return Cost(own, tuple(seconds + rest for seconds in pool.seconds), wall, result, max(each))


def timed(task: tuple[Any, Any]) -> tuple[Any, float]:
    """A part's result and the processor seconds that it took."""
    began = time.thread_time()
    result = task[0](task[1])
    return result, time.thread_time() - began


class Timed:
    """A pool that notes what each part took."""

    def __init__(self, pool: Any) -> None:
        self._pool, self.seconds = pool, list[float]()

    @property
    def workers(self) -> int:
        return int(self._pool.workers)

    def submit(self, function: Any, task: object) -> Any:
        from concurrent.futures import Future

        outer: Future[Any] = Future()

        def done(inner: Any) -> None:
            if inner.cancelled():
                return
            if (error := inner.exception()) is not None:
                outer.set_exception(error)
                return
            result, seconds = inner.result()
            self.seconds.append(seconds)
            outer.set_result(result)

        self._pool.submit(timed, (function, task)).add_done_callback(done)
        return outer

    def renew(self) -> None:
        self._pool.renew()


def told(step: str, costs: dict[int, Cost], frames: int) -> dict[str, Any]:
    """Print what was measured and simulated, give the figures."""
    alone, one, two = (costs[workers] for workers in (0, 1, 2))
    assert alone.result == one.result == two.result, f"{step}: other bytes"
    more = (one.all - alone.all) / frames
    own = two.own / frames
    growth, shared = one.wall / two.wall, sum(two.parts) / two.most
    print(f"{step}: {frames} frames, {len(two.parts)} parts, the same bytes with 0, 1 and 2 workers")
    print(
        f"  this process alone    {alone.all / frames:.4f} s of the processor a frame, {alone.wall:.1f} s by the clock"
    )
    for workers, cost in ((1, one), (2, two)):
        print(
            f"  {workers} worker{'s' if workers > 1 else ' '}             {cost.all / frames:.4f} a frame, of which the"
            f" giving process {cost.own / frames:.4f}; {cost.wall:.1f} s by the clock"
        )
    print(f"  overhead              {more:.4f} a frame ({100 * more * frames / alone.all:.0f} %)")
    print(f"  growth from 1 to 2    {growth:.2f} by the clock, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"  the same without load {shared:.2f} by the processor: the work of both by that of the one who did more")
    simulated = {
        workers: simulate(two.parts, two.own / len(two.parts), workers, step == "convert") for workers in WORKERS
    }
    print("  simulated, no measurement (queueing model of these costs, the film a hundred times as long):")
    print("  workers ", *(f"{workers:>6}" for workers in WORKERS))
    print("  growth  ", *(f"{simulated[1] / simulated[workers]:>6.1f}" for workers in WORKERS), "\n")
    return {
        "alone": round(alone.all / frames, 4),
        "overhead": round(more, 4),
        "own": round(own, 4),
        "growth_1_to_2": round(growth, 2),
        "shared_by_2": round(shared, 2),
        "simulated_growth": {workers: round(simulated[1] / simulated[workers], 1) for workers in WORKERS},
    }


def simulate(parts: Sequence[float], own: float, workers: int, in_order: bool, times: int = 100) -> float:
    """Seconds until all parts are worked at and taken, of a film that has these parts `times` times over.

    One server of the giving process takes results one after another, each in `own` seconds; workers have two parts
    each on their way at most, 32 in all where they are taken in order.
    """
    left = [seconds for _ in range(times) for seconds in parts]
    room = min(2 * workers, 32) if in_order else 2 * workers
    free = [0.0] * workers
    heapq.heapify(free)
    ended: list[tuple[float, int]] = []
    ready: dict[int, float] = {}
    taken_at, taken, sent = 0.0, 0, 0
    while taken < len(left):
        while sent < len(left) and sent - taken < room:
            start = max(heapq.heappop(free), taken_at if sent >= room else 0.0)
            heapq.heappush(free, start + left[sent])
            heapq.heappush(ended, (start + left[sent], sent))
            sent += 1
        at, place = heapq.heappop(ended)
        ready[place] = at
        following = [taken] if in_order else [place]
        while following and following[0] in ready:
            at = ready.pop(following[0])
            taken_at = max(taken_at, at) + own
            taken += 1
            following = [taken] if in_order else []
    return taken_at


if __name__ == "__main__":
    main()
