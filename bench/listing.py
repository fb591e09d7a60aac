"""The worker's list at 1,000, 10,000 and 50,000 open HITs, against an empty market in the same run.

    python bench/listing.py            # 50,000 HITs in 5,000 groups, 60 looks for each way of sorting
    python bench/listing.py --quick    # 1,000 HITs in 100 groups, 40 looks

Every look is a whole page over HTTP from a marketplace in a process of its own: sorted in each way, searched, filtered,
the second page. The last line is one JSON object; the aim is a 99th percentile of at most three times the empty one's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import sqlalchemy as sa
from galloway.mturk.marketplace.app import MarketConfig, add_requester, open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.mturk.marketplace.lifecycle import groups
from galloway.mturk.marketplace.stamps import new_id
from galloway.mturk.marketplace.store import Store, one
from galloway.mturk.marketplace.store.tables import hit, hit_type, requester
from galloway.mturk.marketplace.store.transactions import Row

from bench.marketplace import QUESTION, Server, percentile

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


def look(port: int, cookie: str, times: int) -> dict[str, list[float]]:
    """Seconds of every look, by kind."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    taken: dict[str, list[float]] = {name: [] for name in LOOKS}
    for _ in range(times):
        for name, query in LOOKS.items():
            started = time.perf_counter()
            connection.request("GET", f"/?{urlencode(query)}", headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            taken[name].append(time.perf_counter() - started)
            assert answer.status == 200, answer.status
    connection.close()
    return taken


def main() -> int:
    """Measure, print the table, and fail where the aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    sizes, times = (SIZES[:1], 40) if given.quick else (SIZES, 60)
    rows: dict[int, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        store = open_store(MarketConfig(state_dir=server.state))
        add_requester(store, "bench")
        desk = Work(store)
        token = desk.join(desk.invite().token, name="ann", password="correct horse").token
        server.start()
        cookie = f"market_{server.worker}={token}"
        look(server.worker, cookie, 5)
        rows[0] = look(server.worker, cookie, times)
        known = 0
        for wanted, kinds in sizes:
            fill(store, known, wanted, kinds)
            known = wanted
            look(server.worker, cookie, 2)
            rows[wanted] = look(server.worker, cookie, times)
        store.close()
        server.stop()
    empty = percentile([item for found in rows[0].values() for item in found], 0.99)
    figures = {
        str(size): {name: [percentile(found, 0.5), percentile(found, 0.99)] for name, found in taken.items()}
        for size, taken in rows.items()
    }
    overall = {
        size: percentile([item for found in taken.values() for item in found], 0.99) for size, taken in rows.items()
    }
    for size, found in figures.items():
        print(size, "HITs:", ", ".join(f"{name} {p50}/{p99} ms" for name, (p50, p99) in found.items()))
    ratio = round(overall[known] / empty, 2)
    print(json.dumps({"p50_p99_ms": figures, "p99_ms": overall, "ratio_p99_to_empty": ratio}))
    return 1 if ratio > 3 else 0


if __name__ == "__main__":
    sys.exit(main())
