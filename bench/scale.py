"""How does the workspace grow? Every page of the app, a decision and the commands at 1,000 to 100,000 faces.

    python -m bench.scale [--sizes 1000 10000 100000] [--looks 20] [--folder FOLDER] [--commands] [--leave-out PAGE…]
    python -m bench.scale --quick

Rows are made without the flow (`scale_made`: three to five looks a face, or `--asked`, by forty simulated workers),
then measured at each size, in a process of its own:

- the server's time for every GET page of the app, asked of the app itself as a browser's request would (`--looks` times
  each, after one that is not counted): p50 and p95 on the wall, p95 of processor time, which other work on the machine
  hardly moves, and the ratio to the smallest size;
- one decision on one face, and twenty-five at once, written and shown again; people (`--people`, `--seconds`) who
  decide at the same time, in processes of their own, on faces of their own: how many were refused, how many are lost
  (both must be 0);
- with `--commands` the processor time of decide, publish --dry-run, merge --dry-run, report and status, and the
  exponent of its growth: 1 is as the faces, 2 as their square;
- the most memory that the process had.

`--folder` keeps the workspaces there and takes those that it finds. `--rows` makes rows alone, in a tenth of the time:
there is nothing to merge in them and no model to teach. `--computed` lets what pages leave to jobs (the next round, the
workers' figures, the agreement report) be computed first. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from flask import Flask
from galloway.curation.types import FaceId, Side, VoterKind
from galloway.mturk.marketplace.answering import spare
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, infer
from galloway.pipeline.asking.overrule import overrule, overrule_each
from galloway.pipeline.asking.publish import plan_round
from galloway.pipeline.asking.screening import grid_order
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.stages.merge import plan as plan_merge
from galloway.pipeline.stages.report import build_report, write_report
from galloway.pipeline.stages.status import read_status
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.web.site import create_web_app
from galloway.pipeline.workspace.folder import Workspace

from bench.scale_made import ASKED, made, rows_alone

SIZES = (1_000, 10_000, 100_000)
PAGE_AIM, DECISION_AIM, EXPONENT_AIM = 0.1, 0.2, 1.1
AT_ONCE = 25
PEOPLE = ("Ann", "Bob", "Cem", "Dana", "Eve")
LONG = 4.0
"""What takes so many seconds is not looked at again and again."""
_FILES = ("faces.table",)
_LEFT_OUT = ("static", "door.sign_in", "results.file", "health")
Figures = dict[str, Any]


def opened(folder: Path, faces: int, seed: int, *, rows: bool = False, asked: tuple[int, int] = ASKED) -> App:
    """The workspace of this size: the one that is there, or a new one with one run of decisions."""
    root = folder / f"{'rows' if rows else 'faces'}-{faces}"
    if not (root / "made").is_file():
        began = time.perf_counter()
        if rows:
            rows_alone(root, faces, seed, asked)
        else:
            decide(made(root, faces, seed, asked))
        (root / "made").touch()
        print(f"  made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return App(Workspace.open(root))


def prepare(folder: Path, faces: int, seed: int, rows: bool, asked: tuple[int, int]) -> None:
    """Make the workspace of this size in a process of its own, so that its memory is not counted."""
    opened(folder, faces, seed, rows=rows, asked=asked)


def pages(site: Flask, app: App) -> dict[str, str]:
    """Every GET page of the app that leads somewhere in this workspace: endpoint → address."""
    face = app.store.faces(Side.A)[app.store.count_votes() % 500]
    batch = app.ledger.batches()[0]["batch_key"]
    known = {"face_id": face.face_id, "key": batch, "side": "a", "name": "person.jpg"}
    found = {}
    with site.test_request_context():
        for rule in site.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(_LEFT_OUT) or rule.arguments - set(known):
                continue
            if {"key", "name"} & rule.arguments and rule.endpoint not in ("pages.batch", "faces.reference"):
                continue
            found[rule.endpoint] = rule.build({name: known[name] for name in rule.arguments}, append_unknown=False)
    asked = {name: address[1] for name, address in found.items() if address is not None}
    for side, status in (("a", "disputed"), ("b", "approved"), ("", "all")):
        asked[f"faces.listing {status} {side}".strip()] = f"/faces?side={side}&status={status}"
    return asked


def timed(client: Any, address: str, looks: int, *, first: bool = False) -> tuple[int, list[float], list[float]]:
    """The last status, and the seconds of each look on the wall and of processor, or of its `first` piece. What takes
    long is looked at once."""
    wall: list[float] = []
    cpu: list[float] = []
    status = 0
    for look in range(looks + 1):
        began, busy = time.perf_counter(), time.process_time()
        answer = client.get(address)
        if first:
            next(iter(answer.iter_encoded()), b"")
            answer.close()
        else:
            answer.get_data()
        took, worked = time.perf_counter() - began, time.process_time() - busy
        status = answer.status_code
        if look or took > LONG:
            wall.append(took)
            cpu.append(worked)
        if sum(wall) > LONG:
            break
    return status, wall, cpu


def look(app: App, looks: int, leave_out: Sequence[str], computed: bool) -> tuple[dict[str, Figures], dict[str, float]]:
    """Every page's time in seconds; with `computed` what pages leave to jobs is there, and how long that took."""
    site = create_web_app(app.workspace)
    spare()  # as the command does
    client, found = site.test_client(), {}
    took = {}
    try:
        for name, address in (
            (("next round", "/publish/plan"), ("workers' figures", "/workers/count")) if computed else ()
        ):
            began = time.process_time()
            client.post(address)
            jobs(site).wait()
            took[name] = time.process_time() - began
        for name, address in sorted(pages(site, app).items()):
            if name in leave_out:
                continue
            # A file is sent as it is read: a person waits for its beginning, and the whole grows with the faces.
            status, wall, cpu = timed(client, address, looks, first=name in _FILES)
            if status in (200, 303):
                cpu50, cpu95 = statistics.median(cpu), _p95(cpu)
                p50, p95 = statistics.median(wall), _p95(wall)
                found[name] = {"p50": p50, "p95": p95, "cpu50": cpu50, "cpu95": cpu95, "looks": len(wall)}
            else:
                print(f"  {address} was answered by {status}", file=sys.stderr)
    finally:
        jobs(site).close()
    return found, took


def written(root: Path) -> float:
    """The processor seconds of the agreement report, which a job writes in a process of its own."""
    began = time.process_time()
    write_report(App(Workspace.open(root)))
    return time.process_time() - began


def decisions(app: App, looks: int) -> Figures:
    """The seconds of a decision, of several at once, and of the page of faces right behind one."""
    faces = [face.face_id for face in app.store.faces(Side.A)][-looks * (AT_ONCE + 1) :]
    alone = [_took(lambda face=face: overrule(app, face, "keep", name="Ann", note="seen")) for face in faces[:looks]]  # type: ignore[misc]
    rest = faces[looks:]
    several = []
    for start in range(0, AT_ONCE * (looks // 4 or 1), AT_ONCE):
        some = [(str(face), "reject", "blurred") for face in rest[start : start + AT_ONCE]]
        several.append(_took(lambda some=some: overrule_each(app, some, name="Ann", note="seen")))  # type: ignore[misc]
    return {
        "first": alone[0], "one_p50": statistics.median(alone[1:]), "one_p95": _p95(alone[1:]),
        "several_p50": statistics.median(several),
    }  # fmt: skip


def together(app: App, names: Sequence[str], each: int, most: float) -> Figures:
    """These people decide at the same time, until each has decided so often or `most` seconds are over; what was
    refused, and what is not there afterwards."""
    faces = [face.face_id for face in app.store.faces(Side.B)][-len(names) * each :]
    shares = [faces[place :: len(names)] for place in range(len(names))]
    root, count = app.workspace.root, len(names)
    with ProcessPoolExecutor(count, get_context("spawn")) as people:
        said = list(people.map(_person, [root] * count, names, shares, [most] * count))
    acknowledged = [face for done, _, _ in said for face in done]
    there = {vote.face_id for vote in app.store.votes(faces=acknowledged) if vote.kind is VoterKind.PERSON}
    took = [one for _, _, seconds in said for one in seconds]
    return {
        "people": count, "decisions": len(took), "refused": sum(refused for _, refused, _ in said),
        "lost": len(set(acknowledged) - there), "p50": statistics.median(took), "p95": _p95(took), "worst": max(took),
    }  # fmt: skip


def _person(root: Path, name: str, faces: Sequence[FaceId], most: float) -> tuple[list[FaceId], int, list[float]]:
    """One person in a browser of their own: the acknowledged faces, refused posts, and the seconds of each."""
    site = create_web_app(Workspace.open(root))
    client, end = site.test_client(), time.monotonic() + most
    done: list[FaceId] = []
    seconds: list[float] = []
    for face in faces:
        if time.monotonic() > end:
            break
        began = time.perf_counter()
        answer = client.post(f"/faces/{face}", data={"answer": "keep", "note": "seen", "by": name})
        seconds.append(time.perf_counter() - began)
        if answer.status_code == 303:
            done.append(face)
    jobs(site).close()
    return done, len(seconds) - len(done), seconds


def commands(app: App) -> dict[str, float]:
    """The processor seconds of each command's work, without starting Python."""
    steps: dict[str, Callable[[], object]] = {
        "decide": lambda: decide(app),
        "publish --dry-run": lambda: plan_round(app, app.terms(), order=grid_order(app), look_most=0, keep=False),
        "merge --dry-run": lambda: _merge_plans(app),
        "report": lambda: build_report(app).to_html(),
        "status": lambda: read_status(app),
    }
    found: dict[str, float] = {}
    for name, step in steps.items():
        app = App(Workspace.open(app.workspace.root))
        found[name] = _worked(step)
        print(f"  {name}: {found[name]:.1f} CPU s, memory {_most_memory()} MB", file=sys.stderr)
    return found


def _worked(step: Callable[[], object]) -> float:
    """The processor seconds of a step."""
    began = time.process_time()
    try:
        step()
    except NothingToDo as nothing:
        print(f"  {nothing}", file=sys.stderr)
    return time.process_time() - began


def _most_memory() -> int:
    """The most memory that this process has had, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _merge_plans(app: App) -> None:
    """Both sides' plans from one inference, as the command makes them."""
    known = infer(app)
    for side in Side:
        plan_merge(app, side, open_faces="keep", known=known)


def measure(folder: Path, faces: int, args: argparse.Namespace) -> Figures:
    """Everything about one size, in this process."""
    app = opened(folder, faces, args.seed, rows=args.rows)
    figures: Figures = {"faces": faces, "votes": app.store.count_votes()}
    took = {}
    if args.computed:
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            took["agreement report"] = alone.submit(written, app.workspace.root).result()
    figures["pages"], jobs_took = look(app, args.looks, args.leave_out, args.computed)
    figures["computed_cpu_s"] = {name: round(seconds, 1) for name, seconds in (took | jobs_took).items()}
    figures["memory_mb"] = _most_memory()
    print(json.dumps(figures), file=sys.stderr)
    figures["decisions"] = decisions(app, args.looks)
    figures["together"] = together(
        app, PEOPLE[: args.people], args.looks if not args.seconds else faces, args.seconds or math.inf
    )
    print(json.dumps({name: figures[name] for name in ("decisions", "together")}), file=sys.stderr)
    if args.commands:
        figures["cpu_seconds"] = commands(app)
        figures["memory_with_commands_mb"] = _most_memory()
    return figures


def _took(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[max(0, math.ceil(0.95 * len(seconds)) - 1)]


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The growth between the two largest sizes: seconds as faces to this power."""
    (small, large), (before, after) = sizes[-2:], seconds[-2:]
    return math.log(max(after, 1e-6) / max(before, 1e-6)) / math.log(large / small)


def told(found: Sequence[Figures]) -> Figures:
    """Print the tables; the figures for the last line."""
    first, last = found[0], found[-1]
    heads = "".join(f"{item['faces']:>12,} p50{'p95':>9}{'cpu95':>9}" for item in found)
    print(f"\n{'page, ms':<34}{heads}   ratio")
    ratios = {}
    missing = dict.fromkeys(("p50", "p95", "cpu50", "cpu95"), math.nan)
    for name, at in sorted(last["pages"].items(), key=lambda item: -item[1]["cpu95"]):
        cells = [item["pages"].get(name, missing) for item in found]
        ratios[name] = at["cpu50"] / max(cells[0]["cpu50"], 1e-4)
        row = "".join(f"{1e3 * at['p50']:>16.1f}{1e3 * at['p95']:>9.1f}{1e3 * at['cpu95']:>9.1f}" for at in cells)
        print(f"{name:<34}{row}{ratios[name]:>8.1f}")
    for item in found:
        print(f"{item['faces']:>9,} faces: memory {item['memory_mb']} MB, decisions {_ms(item['decisions'])}")
        print(f"{'':>17}at once: {item['together']}")
    grown = {}
    if "cpu_seconds" in last and len(found) > 1:
        for name in last["cpu_seconds"]:
            seconds = [item["cpu_seconds"][name] for item in found]
            grown[name] = round(exponent([item["faces"] for item in found], seconds), 2)
            print(f"{name:<20}" + "".join(f"{one:>10.2f}" for one in seconds) + f" CPU s, exponent {grown[name]}")
    slow = {name: round(at["cpu95"], 3) for name, at in last["pages"].items() if at["cpu95"] > PAGE_AIM}
    return {
        "faces": last["faces"], "slowest_cpu95": max(at["cpu95"] for at in last["pages"].values()),
        "over_the_aim": slow,
        "most_ratio": max(ratios.values()), "to": first["faces"], "decision": last["decisions"],
        "together": last["together"], "memory_mb": last["memory_mb"],
        "memory_with_commands_mb": last.get("memory_with_commands_mb"),
        "computed_cpu_s": last["computed_cpu_s"], "exponents": grown,
        "aims": {"page": PAGE_AIM, "decision": DECISION_AIM, "exponent": EXPONENT_AIM},
    }  # fmt: skip


def _ms(figures: Figures) -> str:
    return ", ".join(f"{name} {1000 * value:.0f} ms" for name, value in figures.items())


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description="The workspace at many sizes")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--leave-out", nargs="*", default=(), help="pages that are not looked at, by endpoint")
    parser.add_argument("--commands", action="store_true", help="the commands' growth, too")
    parser.add_argument("--rows", action="store_true", help="rows alone, without files: for pages and decisions")
    parser.add_argument("--computed", action="store_true", help="what jobs compute for pages is there: rounds, reports")
    parser.add_argument("--people", type=int, choices=range(2, 6), default=2, help="who decide at the same time")
    parser.add_argument("--seconds", type=float, help="how long they do (default: as many decisions as --looks)")
    parser.add_argument(
        "--asked", type=int, nargs=2, default=ASKED, metavar=("LEAST", "MOST"), help="workers a face (two votes each)"
    )
    parser.add_argument("--quick", action="store_true", help="600 and 3,000 faces")
    args = parser.parse_args()
    if args.quick:
        args.sizes, args.looks, args.commands = (600, 3_000), 6, True
    with tempfile.TemporaryDirectory() as made_here:
        folder = args.folder or Path(made_here)
        found = []
        for faces in args.sizes:
            print(f"{faces:,} faces", file=sys.stderr)
            with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as alone:
                alone.submit(prepare, folder, faces, args.seed, args.rows, tuple(args.asked)).result()
                found.append(alone.submit(measure, folder, faces, args).result())
    print(json.dumps(told(found)))


if __name__ == "__main__":
    main()
