"""Faults on the way from a panel's link to the pay: who is paid twice, who is lost, whose answers had no signed link.

    python -m bench.recruit            # 2,000 faults on a fake Prolific and on signed links, some minutes
    python -m bench.recruit --quick    # a tenth of them

Calls to the panel are dropped before and after they are carried out, answered by 5xx, 429 or nonsense; the process dies
before or after any commit of the ledger; reports come twice, in another order, wrongly signed and too late; links come
unsigned, changed, late and twice; completion codes come twice. After each the same is done again, as a person would.
Nothing leaves this process. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from galloway.mturk.marketplace.errors import MarketplaceError
from galloway.mturk.marketplace.lifecycle.recruits import hook_path
from galloway.mturk.marketplace.office.recruiting import Recruiting
from galloway.mturk.recruiting.values import Study
from galloway.mturk.recruiting.wage import top_up
from galloway.mturk.requester.errors import PanelError
from galloway.mturk.requester.recruit.panel import LinkPanel
from galloway.mturk.requester.recruit.prolific import Prolific
from galloway.mturk.requester.recruit.secret import Secret
from galloway.mturk.requester.recruit.settle import settle

from tests.support.marketplace import Bench, start_bench
from tests.support.prolific import FAULTS, TOKEN, FakeProlific
from tests.support.recruits import SITE, given, link_study, prolific_study, two_hits

PEOPLE = 12
"""Who come to each study."""


class Killed(BaseException):
    """The process died here."""


class _Dying:
    """The ledger, in a process that may die before or after any of its commits."""

    def __init__(self, office: Recruiting, dies: Callable[[], bool]) -> None:
        self._office, self._dies = office, dies

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._office, name)

        def call(*args: Any, **named: Any) -> Any:
            if self._dies():
                raise Killed
            found = method(*args, **named)
            if self._dies():
                raise Killed
            return found

        return call


class Run:
    """One market, one fake panel, and everything that went wrong on purpose."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.bench: Bench = start_bench(folder)
        self.office = Recruiting(self.bench.market.store)
        self.group = replace(two_hits(self.bench, 10**6, LifetimeInSeconds=31_536_000), places=PEOPLE)
        self.calm = False
        self.faults: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.fake = FakeProlific(self.bench.clock, fault=self._fault)
        self.fake.hook_secret = "hook-secret-of-the-bench"
        hook_path(folder, "prolific").write_text(self.fake.hook_secret)
        self.panel = Prolific(Secret(TOKEN), self.fake, name_of=lambda study: study.key, pause=lambda _: None)
        self.book: Any = _Dying(self.office, self._dies)
        self.expected: dict[str, int] = {}

    def _fault(self, method: str, path: str) -> str:
        if self.calm or self.dice.random() > 0.3:
            return ""
        kind = self.dice.choice(FAULTS)
        self.faults[kind] += 1
        return kind

    def _dies(self) -> bool:
        dead = not self.calm and self.dice.random() < 0.03
        self.faults["killed"] += dead
        return dead

    def again(self, does: Callable[[], Any], tries: int = 40) -> Any:
        """The same until it works, as a person would run it again."""
        for number in range(tries):
            self.calm = number > tries - 10
            try:
                return does()
            except (PanelError, Killed):
                self.bench.clock.forward(minutes=self.dice.randrange(1, 200))
            finally:
                self.calm = False
        raise AssertionError("never done")

    # -- Prolific -----------------------------------------------------------------------------------------------
    def prolific(self, number: int) -> None:
        """One study on Prolific, from the draft to the pay."""
        key = f"faces-{number}"
        self.office.add_study(replace(prolific_study((self.group,)), key=key, panel_id=""))
        link = [(self.office.link(self.office.study(key), SITE), PEOPLE)]
        self.again(lambda: self.office.change_study(key, panel_id=self.panel.draft(self.office.study(key), link)))
        self.again(lambda: self.office.change_study(key, status=self.panel.change(self.office.study(key), "PUBLISH")))
        if (
            sum(study["internal_name"] == key and study["status"] == "ACTIVE" for study in self.fake.studies.values())
            != 1
        ):
            self.wrong["published not once"] += 1
        sessions = [self._prolific_person(key) for _ in range(PEOPLE)]
        self._reports(key, sessions)
        self._settle(key)
        self._judge(key, sessions)

    def _prolific_person(self, key: str) -> str:
        _, session, link = self.fake.arrive(self.office.study(key).panel_id)
        self._unsigned(key, given(link), ("sig", "STUDY_ID"))
        worker = self._enter(key, given(link))
        way = self._work(worker, session, key)
        self.fake.come_back(session, way.back)
        if self.dice.random() < 0.3:
            self.faults["came back twice"] += 1
            self.fake.come_back(session, way.back)
        return session

    def _reports(self, key: str, sessions: list[str]) -> None:
        """Every report twice and in another order, with forged and late ones in between."""
        now, sent = self.bench.clock.now, []
        for session in sessions:
            about = {"resource_id": session, "event_type": "submission.status.change"}
            for place, status in enumerate(("ACTIVE", "AWAITING REVIEW")):
                sent.append(
                    self.fake.report(
                        f"{session}-{place}", {**about, "status": status}, at=now + timedelta(seconds=place)
                    )
                )
            late = self.fake.report(f"{session}-late", {**about, "status": "RETURNED"}, at=now - timedelta(minutes=6))
            headers, body = self.fake.report(
                f"{session}-forged", {**about, "status": "RETURNED"}, at=now + timedelta(seconds=9)
            )
            for kind, report in (("late report", late), ("forged report", (headers, body + b" "))):
                self.faults[kind] += 1
                with suppress(MarketplaceError):
                    self.bench.work.hear("prolific", *report)
                    self.wrong[kind] += 1
        doubled = sent * 2
        self.dice.shuffle(doubled)
        self.faults["report doubled or out of order"] += len(sent)
        heard = sum(self.bench.work.hear("prolific", *report) for report in doubled)
        states = {entry.panel_state for entry in self.office.entries(key)}
        self.wrong["report heard twice"] += heard - len(sent)
        self.wrong["report out of order"] += states != {"AWAITING REVIEW"}

    def _settle(self, key: str) -> None:
        study = self.office.study(key)
        for _ in range(3):
            self.again(lambda: settle(self.book, self.panel, study, clock=self.bench.clock))
            self.bench.clock.forward(hours=3)
        self.calm = True
        for _ in range(3):
            settle(self.office, self.panel, study, clock=self.bench.clock)
            self.bench.clock.forward(hours=7)
        self.calm = False

    def _judge(self, key: str, sessions: list[str]) -> None:
        for session in sessions:
            paid = self.fake.money(session)
            self.wrong["paid twice"] += paid > self.expected[session]
            self.wrong["lost"] += paid < self.expected[session]
        self.wrong["not paid in the ledger"] += sum(entry.state != "paid" for entry in self.office.entries(key))

    # -- signed links -------------------------------------------------------------------------------------------
    def links(self, number: int) -> None:
        """One class by signed links, from the landing to the paid list."""
        key = f"class-{number}"
        study = link_study((self.group,), key=key, source=key, status="published")
        self.office.add_study(study)
        for person in range(PEOPLE):
            until = int(self.bench.clock.now.timestamp()) + 60
            link = given(self.office.person_link(study, SITE, f"p{person}", f"s{person}", until))
            self._unsigned(key, link, ("sig", "participant", "session", "until"))
            worker = self._enter(key, link)
            self.bench.clock.forward(seconds=61)
            self.faults["late link"] += 1
            with suppress(MarketplaceError):
                self.bench.work.enter(key, link, stamp="")
                self.wrong["late link"] += 1
            way = self._work(worker, f"{key} p{person}", key)
            self._codes(key, way.entry.code)
        for _ in range(4):
            self.again(lambda: settle(self.book, LinkPanel(), study, clock=self.bench.clock))
            self.again(lambda: self.book.make_list(key))
        lists = {payment.pay_list for payment in self.office.payments(key) if payment.pay_list}
        for pay_list in lists:
            self.again(lambda pay_list=pay_list: self.book.list_paid(key, pay_list))
        self._judge_lists(study)

    def _codes(self, key: str, code: str) -> None:
        self.office.redeem(key, code)
        for kind, wrong in (("code used again", code), ("code made up", "AAAAA-" + code[6:])):
            self.faults[kind] += 1
            with suppress(MarketplaceError):
                self.office.redeem(key, wrong)
                self.wrong[kind] += 1

    def _judge_lists(self, study: Study) -> None:
        payments = self.office.payments(study.key)
        for entry in self.office.entries(study.key):
            mine = [payment for payment in payments if payment.entry == entry.id and payment.status == "done"]
            paid = round(sum((payment.amount for payment in mine), Decimal(0)) * 100)
            self.wrong["paid twice"] += paid > self.expected[f"{study.key} {entry.participant}"]
            self.wrong["lost"] += paid < self.expected[f"{study.key} {entry.participant}"]

    # -- both ---------------------------------------------------------------------------------------------------
    def _unsigned(self, key: str, link: dict[str, str], parts: tuple[str, ...]) -> None:
        """Links that are not ours open nothing."""
        for part in parts:
            self.faults["unsigned link"] += 1
            forged = {**link, part: self.dice.choice(("", "0" * 24, link.get(part, "") + "1"))}
            before = len(self.office.entries(key))
            with suppress(MarketplaceError):
                self.bench.work.enter(key, forged, stamp="")
            self.wrong["answers from an unsigned link"] += len(self.office.entries(key)) - before

    def _enter(self, key: str, link: dict[str, str]) -> str:
        worker: str = self.bench.work.enter(key, link, stamp="").worker.worker_id
        self.faults["landed twice"] += 1
        if self.bench.work.enter(key, link, stamp="").worker.worker_id != worker:
            self.wrong["two workers for one person"] += 1
        return worker

    def _work(self, worker: str, name: str, key: str) -> Any:
        minutes = self.dice.choice((4, 7, 12))
        for _ in range(2):
            held = self.bench.work.go_on(worker)
            self.bench.clock.forward(minutes=minutes / 2)
            for _ in range(self.dice.randrange(1, 3)):
                self.bench.work.submit(held, [("q", "1")])
            self.bench.client.approve_assignment(AssignmentId=held)
        self.bench.work.finish(worker)
        way = self.bench.work.finish(worker)
        study = self.office.study(key)
        self.expected[name] = round((study.reward + top_up(study, way.entry.seconds or 0)) * 100)
        return way


def run(faults: int, seed: int = 1) -> dict[str, Any]:
    """So many faults, at least; what they did."""
    with tempfile.TemporaryDirectory() as folder:
        made, number, began = Run(Path(folder), seed), 0, time.monotonic()
        while made.faults.total() < faults:
            (made.links if number % 3 == 2 else made.prolific)(number)
            number += 1
        made.bench.market.close()
        return {
            "faults": made.faults.total(),
            "by_kind": dict(sorted(made.faults.items())),
            "people": len(made.expected),
            "paid_twice": made.wrong.pop("paid twice"),
            "lost": made.wrong.pop("lost"),
            "answers_from_unsigned_links": made.wrong.pop("answers from an unsigned link"),
            "anything_else_wrong": {name: count for name, count in made.wrong.items() if count},
            "seconds": round(time.monotonic() - began, 1),
        }


def main() -> int:
    """Print the counts; 1 where anything was paid twice, lost or let in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = run(200 if options.quick else 2000, options.seed)
    for kind, count in found["by_kind"].items():
        print(f"{kind:<32} {count:>6}")
    print(json.dumps(found))
    names = ("paid_twice", "lost", "answers_from_unsigned_links", "anything_else_wrong")
    return int(any(found[name] for name in names))


if __name__ == "__main__":
    sys.exit(main())
