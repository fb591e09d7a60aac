"""Spend once, over real HTTP: killed at each step, cut off after the work, run again.

A child process publishes, collects or pays against a market that lives in this process, and sends itself SIGKILL
at a chosen step. Then the same is run again to the end. Nothing is doubled, nothing is lost.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import approve

from tests.support.mturk import FakeMarket, batch, client_for, make_ledger, serve
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.enable_socket
ROOT = Path(__file__).parents[2]
HITS = 3

_CHILD = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from galloway.mturk.requester.client import MTurkClient
from galloway.mturk.requester.collect import collect
from galloway.mturk.requester.ledger import Ledger
from galloway.mturk.requester.publish import publish
from galloway.mturk.requester.settle import Bonus, approve, bonus
from tests.support.mturk import batch, client_for, make_ledger

job, endpoint, path, owner, name, moment, count, *keys = sys.argv[1:]
kind = {"ledger": Ledger, "client": MTurkClient}[owner]
original, left = getattr(kind, name), [int(count)]

def deadly(*args, **kwargs):
    left[0] -= 1
    if left[0] == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*args, **kwargs)
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(kind, name, deadly)
ledger, client = make_ledger(Path(path)), client_for(endpoint, *keys)
if job == "publish":
    publish(ledger, client, batch(3))
elif job == "collect":
    collect(ledger, client)
elif job == "approve":
    approve(ledger, client, [item.assignment_id for item in collect(ledger, client)])
else:
    gifts = [Bonus(item.assignment_id, Decimal("0.05"), "thanks") for item in collect(ledger, client)]
    bonus(ledger, client, gifts)
"""


def run_child(
    job: str, endpoint: str, path: Path, fault: tuple[str, str, str, int] | None, *, keys: tuple[str, ...] = ()
) -> int:
    """Run a job in a process of its own that kills itself at `fault` (None: not at all); its exit code."""
    owner, name, moment, count = fault or ("ledger", "plan", "before", 999)
    command = [sys.executable, "-c", _CHILD, job, endpoint, str(path), owner, name, moment, str(count), *keys]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE).returncode


PUBLISH_FAULTS = [
    ("ledger", "plan", "before", 1),
    ("ledger", "plan", "after", 1),
    ("ledger", "mark_intent", "before", 2),
    ("ledger", "mark_intent", "after", 2),
    ("client", "create_hit", "after", 1),
    ("client", "create_hit", "after", 3),
    ("ledger", "mark_published", "after", 2),
]


@pytest.mark.parametrize("forget_tokens", [False, True], ids=["within-24h", "after-24h"])
@pytest.mark.parametrize("fault", PUBLISH_FAULTS, ids=lambda fault: "-".join(map(str, fault)))
def test_killed_while_publishing(tmp_path: Path, fault: tuple[str, str, str, int], forget_tokens: bool) -> None:
    fake, path = FakeMarket(forget_tokens=forget_tokens), tmp_path / "galloway.db"
    with serve(fake) as endpoint:
        assert run_child("publish", endpoint, path, fault) == -signal.SIGKILL
        result = publish(make_ledger(path), client_for(endpoint), batch(HITS))
    assert len(fake.hits) == HITS
    assert {hit.hit_id for hit in result.hits} == set(fake.hits)
    assert result.sent + result.adopted + result.already == HITS


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("job", "owner", "name", "moment"),
    [
        ("collect", "ledger", "keep_assignments", "before"),
        ("collect", "ledger", "keep_assignments", "after"),
        ("approve", "ledger", "intend_payment", "after"),
        ("approve", "client", "approve", "after"),
        ("approve", "ledger", "mark_paid", "after"),
        ("bonus", "ledger", "intend_payment", "after"),
        ("bonus", "client", "send_bonus", "after"),
        ("bonus", "ledger", "mark_paid", "after"),
    ],
)
def test_killed_while_collecting_and_paying(
    tmp_path: Path, job: str, owner: str, name: str, moment: str, count: int
) -> None:
    fake, path = FakeMarket(forget_tokens=True), tmp_path / "galloway.db"
    with serve(fake) as endpoint:
        ledger, client = make_ledger(path), client_for(endpoint)
        for hit in publish(ledger, client, batch(HITS)).hits:
            fake.submit(hit.hit_id, "AONE", {"face.0": "keep"})
        assert run_child(job, endpoint, path, (owner, name, moment, count)) == -signal.SIGKILL
        assert run_child(job, endpoint, path, None) == 0
        assert len(collect(ledger, client)) == HITS
    payments = ledger.payments("local")
    assert {row["status"] for row in payments} <= {"done"}
    assert len(payments) == (0 if job == "collect" else HITS)
    assert len(fake.bonuses) == (HITS if job == "bonus" else 0)


def test_boto3_repeats_a_cut_off_call_and_there_is_one_hit(tmp_path: Path) -> None:
    """The server did the work, the connection dropped, boto3 sent it again by itself: the token is what saves us."""
    fake = FakeMarket(drop={"CreateHIT": 2})
    with serve(fake) as endpoint:
        result = publish(make_ledger(tmp_path / "galloway.db"), client_for(endpoint), batch(1))
    assert fake.calls.count("CreateHIT") == 3
    assert len(fake.hits) == 1
    assert (result.sent, result.adopted) == (0, 1)


def test_cut_off_approvals_and_two_publishers(tmp_path: Path) -> None:
    fake, path = FakeMarket(drop={"ApproveAssignment": 1}), tmp_path / "galloway.db"
    with serve(fake) as endpoint:
        ledger, client = make_ledger(path), client_for(endpoint)
        (hit,) = publish(ledger, client, batch(1)).hits
        other = publish(make_ledger(tmp_path / "other.db"), client, batch(1))
        fake.submit(hit.hit_id, "AONE", {})
        approve(ledger, client, [item.assignment_id for item in collect(ledger, client)])
    assert other.adopted == 1
    assert len(fake.hits) == 1
    assert [row["status"] for row in ledger.payments("local")] == ["done"]
