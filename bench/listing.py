"""The worker's list, a task's page and the API at 1,000, 10,000 and 50,000 open HITs, against an empty market.

    python -m bench.listing             # 50,000 HITs in 5,000 groups, 60 looks for each way of sorting
    python -m bench.listing --quick     # 1,000 HITs in 100 groups, 40 looks
    python -m bench.listing --postgres  # the same on PostgreSQL

Every look is a whole answer over HTTP from a marketplace in a process of its own: the list sorted each way, searched,
filtered, its second page; the API's calls, signed. Wall time, and the processor time of server and database, which
other work on the machine hardly moves. The last line is one JSON object; the aim is a list whose 99th percentile is at
most three times the empty one's, in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import sqlalchemy as sa
from botocore.config import Config
from galloway.mturk.marketplace.app import add_requester, open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.lifecycle import groups
from galloway.mturk.marketplace.stamps import new_id
from galloway.mturk.marketplace.store import Store, one
from galloway.mturk.marketplace.store.tables import hit, hit_type, requester
from galloway.mturk.marketplace.store.transactions import Row

from bench.market_server import Server, database, postmaster
from bench.market_workers import percentile
from bench.marketplace import QUESTION

SIZES = ((1_000, 100), (10_000, 1_000), (50_000, 5_000))
LOOKS: dict[str, dict[str, str]] = {
    "newest": {},
    "reward": {"sort": "reward"},
    "hourly": {"sort": "hourly"},
    "time": {"sort": "time"},
    "available": {"sort": "available"},
    "search": {"q": "faces 7"},
    "filtered": {"sort": "hourly", "qualified": "1", "min_reward": "0.05", "max_minutes": "60"},
    "second page": {"sort": "reward", "cursor": "20"},
}
Taken = dict[str, list[tuple[float, float]]]
"""What was looked at → (seconds on the wall, seconds of processor) of each look."""


def fill(store: Store, known: int, wanted: int, kinds: int) -> None:
    """Bring the market from `known` to `wanted` HITs in `kinds` groups: rows as CreateHIT leaves them, in bulk."""
    with store.read() as tx:
        owner = one(tx, sa.select(requester))
    assert owner is not None
    per_group = wanted // kinds
    with store.write() as tx:
        types = [_kind(number, owner, tx.now, per_group) for number in range(known // per_group, kinds)]
        tx.conn.execute(hit_type.insert(), types)
        for kind in types:
            tx.conn.execute(hit.insert(), [_hit(kind, tx.now) for _ in range(per_group)])


def _kind(number: int, owner: Row, now: int, per_group: int) -> Row:
    title, about, words = f"Look at faces {number}", "Say which ones are good.", "faces, pictures"
    return {
        "id": new_id(),
        "group_id": new_id(),
        "requester_id": owner["id"],
        "key_hash": str(number),
        "work_kind": hashlib.sha256(str(number).encode()).hexdigest()[:32],
        "title": title,
        "description": about,
        "keywords": words,
        "reward_cents": 5 + number % 97,
        "duration_s": 600 + number % 50,
        "auto_approval_s": 3600,
        "requirements": "[]",
        "created_at": now,
        "open_hits": per_group,
        "newest_at": now + number,
        "last_at": now + 86_400_000,
        "words": groups.searched(title, about, words, owner["name"]),
        "median_ms": 20_000 + 37 * (number % 1_000) if number % 3 else None,
    }


def _hit(kind: Row, now: int) -> Row:
    return {
        "id": new_id(),
        "requester_id": kind["requester_id"],
        "type_id": kind["id"],
        "question": QUESTION,
        "max_assignments": 5,
        "created_at": now,
        "expires_at": now + 86_400_000,
        "status": "Assignable",
        "fee_cents": 1,
    }


class Processor:
    """The processor time of the server and, where there is one, of the database that this program started."""

    def __init__(self, server: Server, url: str) -> None:
        self._server = server
        self._postmaster = postmaster(url) if url else 0

    def seconds(self) -> float:
        pids = [self._server.pid]
        if self._postmaster:
            children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text()
            pids += [self._postmaster, *map(int, children.split())]
        return sum(_spent(pid) for pid in pids) / 1e9


def _spent(pid: int) -> int:
    """Nanoseconds on a processor of all threads (Linux, Documentation/scheduler/sched-stats.rst)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(task.read_text().split()[0])
        except OSError:
            continue
    return total


def measured(processor: Processor, calls: Iterable[tuple[str, Callable[[], Any]]], times: int) -> Taken:
    """Every call so many times, in turns."""
    calls = list(calls)
    taken: Taken = {name: [] for name, _ in calls}
    for _ in range(times):
        for name, call in calls:
            spent, started = processor.seconds(), time.perf_counter()
            call()
            taken[name].append((time.perf_counter() - started, processor.seconds() - spent))
    return taken


class Looker:
    """A worker who looks at the list and at tasks, over one connection; after a pause over a new one."""

    def __init__(self, port: int, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._cookie = cookie

    def look(self, query: dict[str, str], path: str = "/") -> str:
        self._connection.request("GET", f"{path}?{urlencode(query)}", headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, answer.status
        return body

    def pause(self) -> None:
        """While the market is filled nobody looks, and the server ends idle connections."""
        self._connection.close()

    def calls(self) -> list[tuple[str, Callable[[], Any]]]:
        return [(name, lambda query=query: self.look(query)) for name, query in LOOKS.items()]  # type: ignore[misc]


def api_calls(client: Any, known: str) -> list[tuple[str, Callable[[], Any]]]:
    """What a requester's program does all the time."""
    made: list[int] = []

    def create() -> None:
        made.append(1)
        client.create_hit(
            Title="One more",
            Description="bench",
            Reward="0.05",
            LifetimeInSeconds=86400,
            AssignmentDurationInSeconds=3600,
            Question=QUESTION,
        )

    return [
        ("api CreateHIT", create),
        ("api ListHITs", lambda: client.list_hits(MaxResults=100)),
        ("api GetHIT", lambda: client.get_hit(HITId=known)),
        ("api ListReviewableHITs", lambda: client.list_reviewable_hits(MaxResults=100)),
        ("api ListAssignmentsForHIT", lambda: client.list_assignments_for_hit(HITId=known)),
    ]


def table(sizes: tuple[tuple[int, int], ...], times: int, folder: Path, url: str) -> dict[int, Taken]:
    """Every look at every size; 0 is the empty market."""
    server = Server(folder, url)
    store = open_store(server.config)
    try:
        return _looked(server, store, sizes, times, url)
    finally:
        store.close()
        server.stop()


def _looked(server: Server, store: Store, sizes: tuple[tuple[int, int], ...], times: int, url: str) -> dict[int, Taken]:
    access, secret = add_requester(store, "bench")
    desk = Work(store)
    token = desk.join(desk.invite().token, name="ann", password="correct horse").token
    server.start()
    looker = Looker(server.worker, f"market_{server.worker}={token}")
    processor = Processor(server, url)
    measured(processor, looker.calls(), 5)
    rows = {0: measured(processor, looker.calls(), times)}
    client = boto3.client(
        "mturk",
        endpoint_url=f"http://127.0.0.1:{server.api}",
        region_name="us-east-1",
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, read_timeout=120, proxies={}),
    )
    known = 0
    for wanted, kinds in sizes:
        looker.pause()
        fill(store, known, wanted, kinds)
        known = wanted
        first = client.list_hits(MaxResults=1)["HITs"][0]["HITId"]
        calls = [*looker.calls(), *api_calls(client, first)]
        measured(processor, calls, 2)
        rows[wanted] = measured(processor, calls, times)
    client.close()
    return rows


def figures(rows: dict[int, Taken]) -> dict[str, Any]:
    """Percentiles of each look, and the list's 99th against the empty market's, by the wall and by the processor."""
    found: dict[str, Any] = {"ms": {}, "ratio": {}}
    for size, taken in rows.items():
        found["ms"][str(size)] = {
            name: [percentile([look[place] for look in looks], share) for place in (0, 1) for share in (0.5, 0.99)]
            for name, looks in taken.items()
        }
    for place, name in enumerate(("wall", "processor")):
        shares = {
            size: percentile([look[place] for kind in LOOKS for look in taken[kind]], 0.99)
            for size, taken in rows.items()
        }
        found["ratio"][name] = {str(size): round(share / shares[0], 2) for size, share in shares.items() if size}
    return found


def main() -> int:
    """Measure, print the table, and fail where the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL (Debian's programs) instead of SQLite")
    parser.add_argument("--looks", type=int)
    given = parser.parse_args()
    sizes, times = (SIZES[:1], 40) if given.quick else (SIZES, 60)
    with tempfile.TemporaryDirectory() as folder, database(given.postgres, Path(folder)) as url:
        rows = table(sizes, given.looks or times, Path(folder), url)
    done = figures(rows)
    for size, found in done["ms"].items():
        for name, (p50, p99, cpu50, cpu99) in found.items():
            print(f"{size:>6} HITs  {name:<26} wall {p50:>8}/{p99:>8} ms   processor {cpu50:>8}/{cpu99:>8} ms")
    print(json.dumps(done))
    return 1 if min(done["ratio"][name][str(sizes[-1][0])] for name in ("wall", "processor")) > 3 else 0


if __name__ == "__main__":
    sys.exit(main())
