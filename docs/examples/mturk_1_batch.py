"""Publish, collect, settle.

The market is any that speaks MTurk's protocol. Here it is our own, started for the time of the example, and a worker
answers in this process; with `resolve_market("https://market.example.org")` and its keys the rest stays as it is. The
ledger is a database of yours: everything may be killed and run again, and is spent once.
"""

# Names: Market resolve_market MTurkClient Ledger BatchSpec HitSpec publish PublishResult quote_batch html_question
# Names: collect collected CollectedAssignment batch_progress BatchProgress approve reject bonus Bonus SettleResult
# Names: RunningMarketplace MarketConfig Addresses add_requester Work

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from galloway.mturk import (
    BatchSpec,
    HitSpec,
    Ledger,
    MarketConfig,
    MTurkClient,
    RunningMarketplace,
    add_requester,
    approve,
    collect,
    collected,
    html_question,
    publish,
    quote_batch,
    resolve_market,
)

page = '<form><p>Is this a face?</p><input name="face" value="yes"><button>Send</button></form>'
batch = BatchSpec(
    batch_key="faces-1",
    title="Is this a face?",
    description="One picture, one answer",
    keywords="faces",
    reward=Decimal("0.05"),
    max_assignments=1,
    lifetime=timedelta(days=1),
    duration=timedelta(minutes=10),
    auto_approval_delay=timedelta(days=3),
    hits=[HitSpec("picture-1", html_question(page))],
    budget=Decimal("1.00"),
)
ledger = Ledger(sa.create_engine("sqlite:///ledger.db"))
ledger.create_tables()
with RunningMarketplace(MarketConfig(state_dir=Path("market"))) as running:
    market = resolve_market("local", local_endpoint=running.addresses.api, worker_url=running.addresses.worker)
    client = MTurkClient(market, *add_requester(running.market.store, "me"))
    print(quote_batch(batch, market.fees))
    hit = publish(ledger, client, batch).hits[0]

    desk = running.market.work  # what the worker site does for a person
    person = desk.join(desk.invite().token, name="Ann", password="a long password").worker
    held = desk.accept(person.worker_id, hit_id=hit.hit_id)
    desk.submit(held.assignment_id, [("face", "yes")])

    collect(ledger, client, ["faces-1"])
    answers = collected(ledger, market.state_key, ["faces-1"])
    print([(answer.worker_id, answer.answers) for answer in answers])
    approve(ledger, client, [answer.assignment_id for answer in answers], feedback="Thank you")
    print([(row.kind, row.amount, row.fee, row.count) for row in ledger.paid(market.state_key)])
