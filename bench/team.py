"""Two people and twenty workers at once on one workspace: does a decision get lost, is a look refused?

    python -m bench.team            # ten minutes
    python -m bench.team --quick    # thirty seconds, six workers

`galloway serve` and the worker site run as they are run. Ann decides on faces, one after the other; Ben decides, too,
and fetches answers and publishes the next round by the pages' buttons; the workers answer pages; a fourth party looks
at every page of the requester's, again and again. At the end each decision that was acknowledged must stand among the
votes under its own name, each acknowledged answer in the ledger, each act of the two in the log. The last line is one
JSON object; `ratio` is a look's median under load by that of the same page before anybody came.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from galloway.curation.types import Side, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.team import Role, add_member

from bench.market_workers import percentile
from tests.support.served import served
from tests.support.workspace import built_app, galloway

SETTINGS = """
[ask]
learn = false
votes = 5
faces_per_hit = 4

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""
LOOKS = ("/", "/faces", "/faces?status=disputed", "/batches", "/workers", "/facesets", "/team/log", "/api/status")
PASSWORD = "a long enough password"


class Visitor:
    """Somebody with a browser: keeps a cookie, and a connection as long as it holds."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._cookie = parts.hostname or "127.0.0.1", parts.port or 80, ""

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str, float]:
        """(status, where it leads, body, seconds)."""
        headers = {"Cookie": self._cookie, "Accept": "text/html"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=120)
        started = time.perf_counter()
        try:
            connection.request("GET" if form is None else "POST", path, urlencode(form or {}), headers)
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
        finally:
            connection.close()
        kept = answer.headers.get_all("Set-Cookie") or []
        self._cookie = "; ".join(part.split(";")[0] for part in kept) or self._cookie
        return answer.status, answer.headers.get("Location", ""), body, time.perf_counter() - started


@dataclass
class Seen:
    """What all of them saw."""

    decided: dict[str, str] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    looks: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self, what: str, status: int) -> None:
        with self.lock:
            self.refused[f"{what} {status}"] += 1


def sign_in(address: str, name: str) -> Visitor:
    """A member of the team, signed in."""
    person = Visitor(address)
    status, *_ = person.ask("/sign-in", {"name": name, "password": PASSWORD})
    assert status == 303, (name, status)
    return person


def decide(person: Visitor, name: str, faces: list[str], seen: Seen, until: float) -> None:
    """One decision after the other, each with words of its own."""
    chance, number = random.Random(name), 0
    while time.monotonic() < until:
        number += 1
        face, note = chance.choice(faces), f"{name}'s look {number}"
        answer = chance.choice(("keep", "reject:blurred", "reject:covered"))
        status, *_ = person.ask(f"/faces/{face}", {"answer": answer, "note": note, "by": "Somebody Else"})
        if status == 303:
            with seen.lock:
                seen.decided[note] = name
        else:
            seen.refuse("decide", status)
        time.sleep(chance.uniform(0.2, 1.0))


def run_rounds(person: Visitor, seen: Seen, until: float) -> None:
    """Fetch answers and publish what comes next, by the buttons."""
    while time.monotonic() < until:
        for path, form in (
            ("/collect", {"pay": "yes", "most": "1000"}),
            ("/publish", {"yes": "yes", "digest": _digest(person)}),
        ):
            status, *_ = person.ask(path, form)
            seen.said[f"{path} {status}"] += 1  # one job at a time: a second one waits for its turn
            time.sleep(4)


def _digest(person: Visitor) -> str:
    found = re.search(r'name="digest" value="(\w+)"', person.ask("/publish")[2])
    return found[1] if found else ""


def look_about(person: Visitor, seen: Seen, until: float) -> None:
    """Every page, again and again."""
    while time.monotonic() < until:
        for path in LOOKS:
            status, _, _, seconds = person.ask(path)
            if status != 200:
                seen.refuse(f"look at {path}", status)
            with seen.lock:
                seen.looks.append(seconds)


def answer_pages(worker: Visitor, frames: str, seen: Seen, until: float) -> None:
    """Take what the list offers and hand it in."""
    while time.monotonic() < until:
        groups = re.findall(r"/projects/(\w+)/accept", worker.ask("/")[2])
        if not groups:
            time.sleep(1)
            continue
        status, there, *_ = worker.ask(f"/projects/{groups[0]}/accept", {})
        if status != 303:
            time.sleep(0.2)  # somebody else was faster
            continue
        assignment = there.rpartition("/")[2]
        time.sleep(random.uniform(0.1, 0.6))
        form = {"assignmentId": assignment, "rest": "keep", "elapsed": "8000"}
        status, *_ = Visitor(frames).ask("/mturk/externalSubmit", form)
        if status == 200:
            with seen.lock:
                seen.answered.add(assignment)
        else:
            seen.refuse("submit", status)


def bring_workers(boss: Visitor, count: int) -> tuple[list[Visitor], str]:
    """So many people who joined by one link, and the address of the frames."""
    boss.ask("/people/open", {})
    page = boss.ask("/people/invite", {"uses": str(count)})[2]
    found = re.search(r"(http://[^/\s<\"]+)/join/([\w-]+)", page)
    assert found is not None, page[-400:]
    workers = [Visitor(found[1]) for _ in range(count)]
    for number, worker in enumerate(workers):
        form = {"name": f"worker {number}", "password": PASSWORD}
        assert worker.ask(f"/join/{found[2]}", form)[0] == 303
    listed = workers[0].ask("/")[2]
    group = re.search(r"/projects/(\w+)/tasks", listed)
    assert group is not None, "nothing was published"
    shown = workers[0].ask(f"/projects/{group[1]}/tasks")[2]
    frames = re.search(r'<iframe[^>]* src="(http://[^/]+)/', shown)
    assert frames is not None
    return workers, frames[1]


def missing(app: App, seen: Seen) -> dict[str, int]:
    """What was acknowledged and does not stand."""
    people = {vote.note: vote.worker_id for vote in app.store.votes() if vote.kind is VoterKind.PERSON}
    lost = [note for note, name in seen.decided.items() if people.get(note) != f"person:{name}"]
    kept = {row["assignment_id"] for row in app.ledger.assignments("local")}
    noted = Counter(item.who for item in acts(app.workspace, kind="decide"))
    unnoted = sum(max(0, count - noted[name]) for name, count in Counter(seen.decided.values()).items())
    return {"decisions_lost": len(lost), "answers_lost": len(seen.answered - kept), "acts_lost": unnoted}


def run(root: Path, seconds: float, workers: int, faces: int) -> dict[str, object]:
    """The whole of it; the figures."""
    app = built_app(root, faces=faces, settings=SETTINGS)
    for name in ("Ann", "Ben"):
        add_member(root, name, Role.OWN if name == "Ben" else Role.DECIDE, PASSWORD)
    galloway(app, "publish", "--yes")
    ids = [str(face.face_id) for side in Side for face in app.store.faces(side)]
    seen, quiet = Seen(), Seen()
    with served(app.workspace) as (link, _process):
        address = link.partition("/?token=")[0]
        ann, ben, eye = sign_in(address, "Ann"), sign_in(address, "Ben"), sign_in(address, "Ann")
        look_about(eye, quiet, time.monotonic() + 1)
        crowd, frames = bring_workers(ben, workers)
        until = time.monotonic() + seconds
        jobs = [(decide, ann, "Ann", ids, seen, until), (decide, sign_in(address, "Ben"), "Ben", ids, seen, until)]
        threads = [threading.Thread(target=job[0], args=job[1:]) for job in jobs]
        threads += [threading.Thread(target=run_rounds, args=(ben, seen, until))]
        threads += [threading.Thread(target=look_about, args=(eye, seen, until))]
        threads += [threading.Thread(target=answer_pages, args=(one, frames, seen, until)) for one in crowd]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(5)  # the last job comes to its end
    galloway(app, "collect")
    before, under = percentile(quiet.looks, 0.5), percentile(seen.looks, 0.5)
    return {
        "seconds": seconds,
        "workers": workers,
        "faces": 2 * faces,
        "decisions": len(seen.decided),
        "answers": len(seen.answered),
        "looks": len(seen.looks),
        **missing(app, seen),
        "looks_refused": sum(count for what, count in seen.refused.items() if what.startswith("look")),
        "refused": dict(seen.refused),
        "buttons": dict(seen.said),
        "look_ms_p50": under,
        "look_ms_p95": percentile(seen.looks, 0.95),
        "ratio": round(under / before, 2) if before else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Thirty seconds, six workers.")
    parser.add_argument("--seconds", type=float, default=600)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sizes = (25, 6, 20) if asked.quick else (asked.seconds, 20, 200)
        print(json.dumps(run(Path(folder) / "ws", *sizes)))


if __name__ == "__main__":
    main()
