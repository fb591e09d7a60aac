"""200 workers accept and submit 5,000 assignments while a requester polls and the server is killed ten times.

    python -m bench.marketplace            # 200 workers, 5,000 assignments, ten times SIGKILL
    python -m bench.marketplace --quick    # 20 workers, 200 assignments, twice
    python -m bench.marketplace --postgres # the same on PostgreSQL, with every commit on the disk, as on SQLite
    python -m bench.marketplace --compare  # SQLite, PostgreSQL with one server and with two, one after the other; and
                                           # what a queueing model of the costs gives with machines of their own

Workers go through the worker site and the frame origin over HTTP with connections kept open, the requester through
boto3. At the end every HIT must have exactly its places, every acknowledged submission must be there with its own
answer, and none twice. Then the same number of writes goes to moto's server (SQS SendMessage, kept in memory: moto has
no mturk), for the ratio. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import sqlalchemy as sa
from botocore.config import Config
from galloway.mturk.marketplace.app import add_requester, open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.rules.answers import read_answers

from bench.market_model import modelled
from bench.market_server import Server, database, database_ms, free_ports
from bench.market_workers import Link, Tally, finish, in_threads, percentile, work

SCHEMA = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
QUESTION = (
    f'<HTMLQuestion xmlns="{SCHEMA}"><HTMLContent><![CDATA[<form><input name="face.k1"></form>]]></HTMLContent>'
    "<FrameHeight>0</FrameHeight></HTMLQuestion>"
)
PLACES = 5
MOST = 10
"""The 99th percentile of accepting stays below so many times its median."""


def poll(client: Any, stop: threading.Event, seen: list[int]) -> None:
    """The requester looks at what is there, again and again."""
    while not stop.wait(0.5):
        try:
            seen.append(client.list_reviewable_hits(MaxResults=100)["NumResults"])
        except Exception:  # the server is being killed on purpose
            continue


def watch_locks(url: str, stop: threading.Event, waits: list[int]) -> None:
    """How many of PostgreSQL's sessions wait for a lock, ten times a second."""
    if not url:
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        while not stop.wait(0.1):
            waits.append(int(connection.scalar(asked) or 0))
    engine.dispose()


def prepare(server: Server, workers: int, hits: int) -> tuple[Any, str, list[str], float]:
    """(boto3 client, group, session cookies, seconds per CreateHIT)."""
    store = open_store(server.config)
    access, secret = add_requester(store, "bench")
    desk = Work(store)
    invite = desk.invite(uses=workers)
    cookies = [
        f"market_{server.worker}={desk.join(invite.token, name=f'w{place}', password='correct horse').token}"
        for place in range(workers)
    ]
    store.close()
    client = boto3.client(
        "mturk",
        endpoint_url=f"http://127.0.0.1:{server.api}",
        region_name="us-east-1",
        aws_access_key_id=access,
        aws_secret_access_key=secret,
        config=Config(retries={"mode": "standard", "max_attempts": 10}, read_timeout=60),
    )
    started = time.perf_counter()
    made = {}
    for place in range(hits):
        made = client.create_hit(
            Title="Keep or reject",
            Description="bench",
            Reward="0.05",
            LifetimeInSeconds=86400,
            AssignmentDurationInSeconds=3600,
            MaxAssignments=PLACES,
            Question=QUESTION,
            RequesterAnnotation=str(place),
            UniqueRequestToken=f"bench-{place}",
        )["HIT"]
    return client, made["HITGroupId"], cookies, (time.perf_counter() - started) / hits


def verify(client: Any, tally: Tally, wanted: int) -> dict[str, int]:
    """Counts of what must be 0: lost, doubled, over-filled, foreign answers."""
    found: dict[str, str] = {}
    doubled = overfilled = total = 0
    for page in client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100}):
        for hit in page["HITs"]:
            pages = client.get_paginator("list_assignments_for_hit").paginate(HITId=hit["HITId"])
            assignments = [item for part in pages for item in part["Assignments"]]
            overfilled += len(assignments) > hit["MaxAssignments"]
            doubled += len(assignments) - len({item["WorkerId"] for item in assignments})
            total += len(assignments)
            found.update({item["AssignmentId"]: read_answers(item["Answer"])["face.k1"][0] for item in assignments})
    lost = sum(found.get(name) != answer for name, answer in tally.acknowledged.items())
    return {
        "assignments": total,
        "missing": wanted - total,
        "lost": lost,
        "doubled": doubled + total - len(found),
        "overfilled": overfilled,
    }


def moto(clients: int, writes: int) -> tuple[float, list[float]]:
    """(seconds, latencies) of as many SQS SendMessage calls to moto's server, one process, kept-open connections."""
    (port,) = free_ports(1)
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t"},
    ) as process:
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=t/20261122/us-east-1/sqs/aws4_request, Signature=0"}
        with Link(port, signed) as link:
            link.post("/", {"Action": "CreateQueue", "QueueName": "bench", "Version": "2012-11-05"})
        latencies: list[float] = []
        left = iter(range(writes))

        def send() -> None:
            with Link(port, signed) as link:
                for place in left:
                    text = {"Action": "SendMessage", "Version": "2012-11-05", "MessageBody": f"w {place} " + "x" * 300}
                    status, _, seconds = link.post("/123456789012/bench", text)
                    assert status == 200, status
                    latencies.append(seconds)

        left = _shared(left)
        seconds = in_threads([send] * clients)
        process.terminate()
    return seconds, latencies


def _shared(items: Any) -> Any:
    """An iterator that several threads may draw from."""
    lock = threading.Lock()

    def draw() -> Any:
        while True:
            with lock:
                item = next(items, None)
            if item is None:
                return
            yield item

    class Shared:
        def __iter__(self) -> Any:
            return draw()

    return Shared()


def run(
    workers: int,
    total: int,
    kills: int,
    state: Path,
    database: str = "",
    server: Server | None = None,
    *,
    beside: Server | None = None,
) -> dict[str, Any]:
    """The figures of one run, on a server of its own unless one is given. Every other worker goes to the server
    `beside`, which is on the same database and is not killed."""
    server = server or Server(state, database)
    servers = [server] if beside is None else [server, beside]
    for one in servers:
        one.start()
    client, group, cookies, per_hit = prepare(server, workers, total // PLACES)
    print(f"{total // PLACES} HITs with {PLACES} places each, {1000 * per_hit:.1f} ms for each CreateHIT")

    def at(place: int) -> Server:
        return server if beside is None or place % 2 == 0 else beside

    cookies = [cookie.replace(str(server.worker), str(at(place).worker)) for place, cookie in enumerate(cookies)]
    tally, stop, seen, waits = Tally(), threading.Event(), [0], [0]
    watcher = threading.Thread(target=watch_locks, args=(database, stop, waits))
    watcher.start()
    poller = threading.Thread(target=poll, args=(client, stop, seen))
    poller.start()
    worked = threading.Event()
    marks = [total * (number + 1) // (kills + 1) for number in range(kills)]

    def kill() -> None:
        for mark in marks:
            # What a kill swallowed is handed in at the end: the last marks may be out of the workers' reach.
            while len(tally.acknowledged) < mark:
                if worked.wait(0.01):
                    return
            server.kill()
            server.start()

    jobs = [
        lambda place=place, cookie=cookie: work(at(place), cookie, group, f"w{place}", tally, total)  # type: ignore[misc]
        for place, cookie in enumerate(cookies)
    ]
    killer = threading.Thread(target=kill)
    killer.start()
    before = _processors(servers, database)
    if kills:
        before["servers"] = 0.0  # the one that runs at the end began at nought
    seconds = in_threads(jobs)
    spent = {name: (used - before[name]) / total for name, used in _processors(servers, database).items()}
    worked.set()
    killer.join()
    finish(server, cookies, group, tally, total)
    stop.set()
    poller.join()
    watcher.join()
    checked = verify(client, tally, total)
    client.close()
    for one in servers:
        one.stop()
    return {
        "workers": workers,
        "servers": 1 if beside is None else 2,
        **checked,
        "kills": server.kills,
        "polls": len(seen) - 1,
        "refusals": tally.refusals,
        "seconds": round(seconds, 1),
        "assignments_per_second": round(total / seconds, 1),
        "accept_ms": [percentile(tally.accepts, 0.5), percentile(tally.accepts, 0.99)],
        "accept_p99_to_p50": round(percentile(tally.accepts, 0.99) / max(percentile(tally.accepts, 0.5), 0.1), 2),
        "submit_ms": [percentile(tally.submits, 0.5), percentile(tally.submits, 0.99)],
        "create_hit_ms": round(1000 * per_hit, 1),
        "processor_ms": {name: round(used, 2) for name, used in spent.items()},
        "waiting_for_locks": round(sum(waits) / len(waits), 2),
    }


def _processors(servers: list[Server], database: str) -> dict[str, float]:
    """Milliseconds of the processor so far: of the servers (without those that were killed), the database, and of the
    workers, who are threads of this process."""
    return {
        "servers": sum(one.processor_ms() for one in servers),
        "database": database_ms(database),
        "workers": 1000 * time.process_time(),
    }


def bounds(spent: dict[str, float], cores: int) -> dict[str, float]:
    """Assignments a second that so much of the processor for each allows at most: one server, which is one process of
    Python's; two; and this machine, which all share. `two_to_one` is what a second server can bring here."""
    one, all_of_it = 1000 / spent["servers"], 1000 * cores / sum(spent.values())
    return {
        "one_server": round(one, 1),
        "two_servers": round(2 * one, 1),
        "this_machine": round(all_of_it, 1),
        "two_to_one": round(min(2 * one, all_of_it) / min(one, all_of_it), 2),
    }


def compare(workers: int, total: int, rounds: int, share: float) -> dict[str, Any]:
    """Assignments a second and the 99th percentile of accepting: SQLite, PostgreSQL, PostgreSQL with two servers, turn
    by turn, so that a machine that is busy for a while is busy for all three. Each server gets `share` of a core (0:
    what it wants): with so little that database and workers have more than they need, a second server brings what it
    brings on a machine of its own."""
    found: dict[str, list[dict[str, Any]]] = {"sqlite": [], "postgresql": [], "two servers": []}
    for _ in range(rounds):
        for name, figures in found.items():
            with tempfile.TemporaryDirectory() as folder, database(name != "sqlite", Path(folder)) as url:
                server = Server(Path(folder), url, share)
                beside = Server(Path(folder), url, share) if name == "two servers" else None
                figures.append(run(workers, total, 0, Path(folder), url, server, beside=beside))
                assert not any(figures[-1][word] for word in ("missing", "lost", "doubled", "overfilled"))
    told: dict[str, Any] = {"workers": workers, "assignments": total}
    for name, figures in found.items():
        speeds = sorted(item["assignments_per_second"] for item in figures)
        told[name] = {
            "per_second": [speeds[0], speeds[len(speeds) // 2]],
            "accept_p99_ms": max(item["accept_ms"][1] for item in figures),
            "submit_p99_ms": max(item["submit_ms"][1] for item in figures),
            "processor_ms": (used := _middle([item["processor_ms"] for item in figures])),
            "bounds": bounds(used, os.cpu_count() or 1),
            "waiting_for_locks": max(item["waiting_for_locks"] for item in figures),
        }
    median = {name: told[name]["per_second"][1] for name in found}
    told["postgresql_to_sqlite"] = round(median["postgresql"] / median["sqlite"], 2)
    told["two_to_one"] = round(median["two servers"] / median["postgresql"], 2)
    told["modelled_with_machines_of_their_own"] = modelled(told["postgresql"]["processor_ms"], workers)
    return told


def _middle(several: list[dict[str, float]]) -> dict[str, float]:
    """The run that cost the median of all."""
    return sorted(several, key=lambda used: sum(used.values()))[len(several) // 2]


def main() -> int:
    """Run, print, and fail where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--assignments", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL (Debian's programs) instead of SQLite")
    parser.add_argument("--compare", action="store_true", help="SQLite, PostgreSQL, two servers, three times by turns")
    parser.add_argument("--rounds", type=int, default=3, help="of --compare")
    parser.add_argument(
        "--share",
        type=float,
        default=0.0,
        help="of --compare: of a core that each server gets, from .1 on (Linux, root)",
    )
    parser.add_argument("--no-moto", action="store_true", help="without the comparison")
    given = parser.parse_args()
    default = (20, 200, 2) if given.quick else (200, 5000, 10)
    workers, total, kills = (
        value if value is not None else fallback
        for value, fallback in zip((given.workers, given.assignments, given.kills), default, strict=True)
    )
    if given.compare:
        print(json.dumps(compare(workers, total, given.rounds, given.share)))
        return 0
    with tempfile.TemporaryDirectory() as folder, database(given.postgres, Path(folder)) as url:
        figures = run(workers, total, kills, Path(folder), url)
    if given.no_moto:
        print(json.dumps(figures))
        return _broken(figures)
    seconds, latencies = moto(min(workers, 50), total)
    figures["moto_writes_per_second"] = round(total / seconds, 1)
    figures["moto_ms"] = [percentile(latencies, 0.5), percentile(latencies, 0.99)]
    # Each assignment is two durable writes of ours, accept and submit.
    figures["ratio_writes_to_moto"] = round(2 * figures["assignments_per_second"] / (total / seconds), 2)
    print(json.dumps(figures))
    return _broken(figures)


def _broken(figures: dict[str, Any]) -> int:
    """1 where a promise was broken."""
    promises = any(figures[name] for name in ("missing", "lost", "doubled", "overfilled"))
    return 1 if promises or figures["accept_p99_to_p50"] >= MOST else 0


if __name__ == "__main__":
    sys.exit(main())
