"""Recruiting from a panel: Prolific's calls field by field, one payment a person, and a token that nobody sees."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.office.recruiting import Recruiting
from galloway.mturk.recruiting.values import Group, Study
from galloway.mturk.recruiting.wage import maximum_minutes
from galloway.mturk.requester.errors import (
    BudgetExceeded,
    MTurkError,
    PanelDoubt,
    PanelError,
    PanelRefused,
    PanelUnreachable,
)
from galloway.mturk.requester.recruit.panel import LinkPanel
from galloway.mturk.requester.recruit.prolific import Prolific
from galloway.mturk.requester.recruit.secret import Secret
from galloway.mturk.requester.recruit.settle import GRACE, plan, refuse, settle

from tests.support.marketplace import Bench, start_bench
from tests.support.prolific import TOKEN, FakeProlific
from tests.support.recruits import SITE, given, link_study, prolific_study, two_hits

REASON = "You answered all pages within four seconds and chose the first answer each time, as the times show. " * 2


class Desk:
    """A market with a study on a fake Prolific, and what the tests do with it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.bench: Bench = start_bench(folder)
        group = two_hits(self.bench)
        self.office = Recruiting(self.bench.market.store)
        self.faults: Iterator[str] = iter(())
        self.fake = FakeProlific(self.bench.clock, fault=self._fault)
        self.panel = Prolific(
            Secret(TOKEN), self.fake, name_of=lambda study: f"galloway {study.key}", pause=lambda _: None
        )
        study = prolific_study((group,), **changes)
        self.office.add_study(replace(study, panel_id=""))

    def _fault(self, method: str, path: str) -> str:
        return next(self.faults, "")

    @property
    def study(self) -> Study:
        return self.office.study("faces")

    def draft(self) -> str:
        made = self.panel.draft(self.study, [(self.office.link(self.study, SITE), self.study.places)])
        self.office.change_study("faces", panel_id=made)
        return made

    def open(self) -> str:
        made = self.draft()
        self.office.change_study("faces", status=self.panel.change(self.study, "PUBLISH"))
        return made

    def person(self, *, seconds: float = 100, pages: int = 2, approved: bool = True, back: bool = True) -> str:
        """The session of somebody who came, worked and went back."""
        _, session, link = self.fake.arrive(self.study.panel_id)
        worker = self.bench.work.enter("faces", given(link), stamp="").worker.worker_id
        for _ in range(pages):
            held = self.bench.work.go_on(worker)
            self.bench.clock.forward(seconds=seconds / max(1, pages))
            self.bench.work.submit(held, [("q", "1")])
            if approved:
                self.bench.client.approve_assignment(AssignmentId=held)
        if pages == 2:
            way = self.bench.work.finish(worker)
            if back:
                self.fake.come_back(session, way.back)
        return session

    def settle(self, **how: Any) -> Any:
        return settle(self.office, self.panel, self.study, clock=self.bench.clock, **how)

    def states(self) -> list[str]:
        return [entry.state for entry in self.office.entries("faces")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.bench.market.close()


def test_a_study_is_drafted_published_paused_and_stopped(desk: Desk) -> None:
    made = desk.draft()
    assert desk.draft() == made and len(desk.fake.studies) == 1
    fields = desk.fake.studies[made]
    assert fields["reward"] == 100 and fields["maximum_allowed_time"] == 19
    assert [code["code_type"] for code in fields["completion_codes"]] == ["COMPLETED", "NO_CONSENT", "OTHER"]
    steps = [
        ("PUBLISH", "published"),
        ("PUBLISH", "published"),
        ("PAUSE", "paused"),
        ("START", "published"),
        ("STOP", "stopped"),
    ]
    assert [desk.panel.change(desk.study, action) for action, _ in steps] == [after for _, after in steps]  # type: ignore[arg-type]
    assert sum("transition" in call for call in desk.fake.calls) == 4


def test_a_study_with_a_mistake_goes_with_its_draft_while_nobody_agreed_to_it(desk: Desk) -> None:
    made = desk.draft()
    with pytest.raises(OperatorError, match="recruit remove faces"):
        desk.office.add_study(desk.study)
    desk.faults = iter(("", "dropped after"))
    with pytest.raises(PanelDoubt):
        desk.panel.drop(desk.study)
    desk.panel.drop(desk.study)  # run again, it finds nothing and is done
    study = replace(desk.study, title="Look at these faces", panel_id="")
    desk.office.remove_study("faces")
    assert desk.office.studies() == ()
    desk.office.add_study(study)
    assert desk.draft() != made
    assert [item["name"] for item in desk.fake.studies.values()] == ["Look at these faces"]


def test_a_study_that_people_agreed_to_stays(desk: Desk) -> None:
    desk.open()
    with pytest.raises(PanelRefused, match="published studies cannot be deleted"):
        desk.panel.drop(desk.study)
    desk.person(pages=0)
    with pytest.raises(OperatorError, match=r"People took places.*recruit stop faces"):
        desk.office.remove_study("faces")
    assert desk.study.status == "published"


def test_groups_of_hits_become_one_study_with_a_link_for_each(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    study = replace(desk.study, groups=(Group("G1", 2), Group("G2", 3)))
    links = [(desk.office.link(study, SITE, group.group_id), group.places) for group in study.groups]
    made = desk.panel.draft(study, links)
    assert [item["total_allocation"] for item in desk.fake.studies[made]["access_details"]] == [2, 3]
    assert [one["allocated"] for one in desk.panel.progress(replace(study, panel_id=made)).values()] == [0, 0]
    assert "group=G2" in desk.fake.studies[made]["access_details"][1]["external_url"]
    desk.bench.market.close()


@pytest.mark.parametrize(
    "fault", ["dropped after", "502 after", "garbled after", "dropped before", "500 before", "unreachable"]
)
def test_a_draft_whose_answer_was_lost_is_found_again(desk: Desk, fault: str) -> None:
    desk.faults = iter(("", fault))
    try:
        made = desk.draft()
    except PanelError:
        made = desk.draft()
    assert list(desk.fake.studies) == [made]


@pytest.mark.parametrize("fault", ["dropped after", "502 after", "dropped before", "500 before", "unreachable", "429"])
def test_publishing_takes_the_money_once_whatever_gets_lost(desk: Desk, fault: str) -> None:
    desk.draft()
    desk.faults = iter(("", fault))
    for _ in range(2):
        try:
            desk.panel.change(desk.study, "PUBLISH")
        except PanelError:
            continue
    assert [study["status"] for study in desk.fake.studies.values()] == ["ACTIVE"]


def test_finished_work_is_paid_once_and_topped_up_to_the_floor(desk: Desk) -> None:
    desk.open()
    quick, slow = desk.person(seconds=300), desk.person(seconds=600)
    done = desk.settle()
    assert (done.paid, done.topped_up, done.amount, done.fees) == (2, 1, Decimal("2.34"), Decimal("0.77"))
    desk.bench.clock.forward(minutes=10)
    for _ in range(3):
        again = desk.settle()
        assert (again.paid, again.topped_up, again.doubtful) == (0, 0, 0)
    assert (desk.fake.money(quick), desk.fake.money(slow)) == (100, 134)
    assert desk.states() == ["paid", "paid"]


@pytest.mark.parametrize(
    "fault", ["dropped after", "502 after", "garbled after", "dropped before", "500 before", "429"]
)
@pytest.mark.parametrize("at", range(2, 6))
def test_no_payment_is_doubled_or_lost_by_a_fault_at_any_call(desk: Desk, fault: str, at: int) -> None:
    desk.open()
    slow = desk.person(seconds=600)
    desk.faults = iter([""] * at + [fault])  # the list, the look, approve, the look, create, pay
    for _ in range(6):
        with contextlib.suppress(PanelError):
            desk.settle()
        desk.bench.clock.forward(hours=4)
    assert desk.fake.money(slow) == 134
    assert desk.states() == ["paid"]


def test_a_bonus_in_doubt_is_looked_for_and_paid_again_only_after_hours(desk: Desk) -> None:
    desk.open()
    slow = desk.person(seconds=600)
    desk.faults = iter(["", "", "", "", "dropped before"])
    assert desk.settle().doubtful == 1
    desk.bench.clock.forward(minutes=30)
    assert desk.settle().doubtful == 1 and desk.fake.money(slow) == 100
    desk.bench.clock.now += GRACE
    assert desk.settle().topped_up == 1
    desk.bench.clock.forward(minutes=10)
    assert desk.fake.money(slow) == 134


def test_what_speaks_against_paying_is_left_to_a_person(desk: Desk) -> None:
    desk.open()
    other, left, unfinished = desk.person(), desk.person(pages=1), desk.person(pages=1)
    waits = desk.person(approved=False)
    desk.fake.submissions[other]["entered_code"] = "STOLEN"
    desk.fake.submissions[left]["status"] = "RETURNED"
    desk.fake.submissions[unfinished].update(status="AWAITING REVIEW", entered_code=None)
    _, never, _ = desk.fake.arrive(desk.study.panel_id)
    desk.fake.submissions[never]["status"] = "AWAITING REVIEW"
    done = desk.settle()
    assert {step.entry.session for step in done.look} == {other, unfinished}
    assert (done.paid, done.waiting, done.never_came) == (0, 1, (never,))
    assert desk.states() == ["pending", "returned", "working", "pending"]
    assert desk.settle(approve=[other]).paid == 1
    desk.bench.clock.forward(days=7)
    assert desk.settle().paid == 1 and desk.fake.money(waits) == 100
    assert desk.fake.money(unfinished) == desk.fake.money(left) == 0


def _handed_in(desk: Desk, session: str) -> None:
    desk.fake.submissions[session].update(status="AWAITING REVIEW", entered_code="NOCODE")


def test_who_left_here_and_handed_in_there_is_named_and_paid_or_refused(desk: Desk) -> None:
    desk.open()
    sessions = [desk.person(pages=1) for _ in range(3)]
    for entry in desk.office.entries("faces"):
        desk.bench.work.quit(entry.worker_id)
    assert desk.settle().look == ()  # the panel still waits for them
    for session in sessions:
        _handed_in(desk, session)
    done = desk.settle()
    assert [step.entry.session for step in done.look] == sessions and done.paid == 0
    assert all("left and handed in there" in step.why for step in done.look)
    pay, refused, by_hand = sessions
    assert desk.settle(approve=[pay]).paid == 1 and desk.fake.money(pay) == 100
    entries = {entry.session: entry for entry in desk.office.entries("faces")}
    refuse(desk.office, desk.panel, entries[refused], reason=REASON, category="NO_CODE")
    assert desk.fake.submissions[refused]["status"] == "REJECTED"
    desk.fake._change_submission(by_hand, {"action": "APPROVE"})
    done = desk.settle()
    assert (done.paid, done.look, desk.states()) == (1, (), ["paid", "rejected", "paid"])


def test_who_was_out_of_time_there_and_handed_in_late_is_named_and_topped_up(desk: Desk) -> None:
    desk.open()
    late, by_hand = desk.person(seconds=600), desk.person(seconds=600)
    for session in (late, by_hand):
        desk.fake.submissions[session]["status"] = "TIMED-OUT"
    assert desk.settle().look == () and desk.states() == ["returned", "returned"]
    for session in (late, by_hand):
        _handed_in(desk, session)
    done = desk.settle()
    assert [step.entry.session for step in done.look] == [late, by_hand]
    assert all("out of time" in step.why for step in done.look)
    desk.fake._change_submission(by_hand, {"action": "APPROVE"})
    done = desk.settle(approve=[late])
    assert (done.paid, done.topped_up, desk.states()) == (2, 2, ["paid", "paid"])


def test_a_word_for_somebody_who_never_came_is_refused_before_anybody_is_paid(desk: Desk) -> None:
    desk.open()
    session = desk.person()
    with pytest.raises(PanelError, match="Nobody came to faces with the session nonsense; nobody was paid"):
        desk.settle(approve=["nonsense"])
    assert desk.fake.money(session) == 0


def test_a_list_made_after_a_kill_takes_no_top_up_without_its_reward(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    study = link_study((two_hits(bench),))
    office = Recruiting(bench.market.store)
    office.add_study(replace(study, status="published"))
    link = given(office.person_link(study, SITE, "ann", "ann", None))
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    for _ in range(2):
        held = bench.work.go_on(worker)
        bench.clock.forward(seconds=300)
        bench.work.submit(held, [("q", "1")])
        bench.client.approve_assignment(AssignmentId=held)
    bench.work.finish(worker)

    class Killed:
        """The ledger of a process that ends at the second intent."""

        intents = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(office, name)

        def intend(self, *payment: Any) -> Any:
            self.intents += 1
            if self.intents == 2:
                raise KeyboardInterrupt
            return office.intend(*payment)

    with pytest.raises(KeyboardInterrupt):
        settle(Killed(), LinkPanel(), study, clock=bench.clock)  # type: ignore[arg-type]
    assert office.make_list("class") == 0
    assert settle(office, LinkPanel(), study, clock=bench.clock).listed == 1
    assert office.list_paid("class", office.make_list("class")) == 2
    assert sum(payment.amount for payment in office.payments("class")) == Decimal("1.34")
    bench.market.close()


def test_somebody_whom_the_panel_does_not_know_is_not_paid_and_does_no_more(desk: Desk) -> None:
    desk.open()
    session = desk.person(pages=1)
    del desk.fake.submissions[session]
    assert desk.settle().paid == 0
    (entry,) = desk.office.entries("faces")
    assert entry.state == "unknown" and desk.bench.work.go_on(entry.worker_id) == ""


def test_payments_by_hand_at_the_panel_are_taken_over(desk: Desk) -> None:
    desk.open()
    session = desk.person()
    desk.fake._change_submission(session, {"action": "APPROVE"})
    assert desk.settle().paid == 1 and desk.fake.money(session) == 100
    assert sum("transition" in call for call in desk.fake.calls) == 1  # the publishing


def test_a_refusal_needs_a_reason_of_substance_and_happens_once(desk: Desk) -> None:
    desk.open()
    desk.person(), desk.person()
    first, second = desk.office.entries("faces")
    with pytest.raises(PanelError, match="at least 100 characters"):
        refuse(desk.office, desk.panel, first, reason="too fast" + " " * 200, category="TOO_QUICKLY")
    desk.faults = iter(["dropped after"])
    refuse(desk.office, desk.panel, first, reason=REASON, category="TOO_QUICKLY")
    desk.settle()
    assert desk.states() == ["rejected", "paid"]
    with pytest.raises(PanelError, match="is paid"):
        refuse(desk.office, desk.panel, replace(second, state="paid"), reason=REASON, category="OTHER")


def test_who_found_no_work_is_asked_to_return_the_place_once(desk: Desk) -> None:
    desk.open()
    for hit in desk.bench.client.list_hits()["HITs"]:
        desk.bench.client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    _, session, link = desk.fake.arrive(desk.study.panel_id)
    worker = desk.bench.work.enter("faces", given(link), stamp="").worker.worker_id
    desk.fake.come_back(session, desk.bench.work.finish(worker).back)
    assert desk.fake.submissions[session]["entered_code"] == "CEMPTY"
    for _ in range(2):
        desk.settle()
    assert sum("request-return" in call for call in desk.fake.calls) == 1


def test_a_budget_stops_before_anything_is_sent(tmp_path: Path) -> None:
    desk = Desk(tmp_path, budget=Decimal("2.60"))
    desk.open()
    for _ in range(2):
        desk.person(seconds=300)
    with pytest.raises(BudgetExceeded, match=r"--budget 2\.66"):
        desk.settle()
    assert [desk.fake.money(session) for session in desk.fake.submissions] == [0, 0]
    assert desk.settle(budget=Decimal("2.66")).paid == 2
    desk.bench.market.close()


def test_the_list_of_a_class_holds_everybody_once_also_after_a_stop_in_between(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    group = two_hits(bench)
    office, study = Recruiting(bench.market.store), link_study((group,), status="published")
    office.add_study(study)
    for name in ("ann", "bob"):
        link = given(office.person_link(study, SITE, name, name, None))
        worker = bench.work.enter("class", link, stamp="").worker.worker_id
        for _ in range(2):
            bench.work.submit(bench.work.go_on(worker), [("q", "1")])
        bench.clock.forward(seconds=600)
        bench.work.finish(worker)
    assert settle(office, LinkPanel(), study, clock=bench.clock).waiting == 2
    bench.clock.forward(days=7)
    steps = plan(study, office.entries("class"), (), None, bench.clock())
    assert [(step.do, step.amount) for step in steps] == [("top up", Decimal("0.34")), ("pay", Decimal("1.00"))] * 2
    office.intend(steps[0].entry, "bonus", steps[0].amount, Decimal(0), steps[0].why)  # and then it was killed
    for _ in range(2):
        settle(office, LinkPanel(), study, clock=bench.clock)
    assert sorted(payment.amount for payment in office.payments("class")) == [
        *([Decimal("0.34")] * 2),
        *([Decimal("1.00")] * 2),
    ]
    assert (office.make_list("class"), office.make_list("class")) == (1, 0)
    bench.market.close()


def test_who_handed_pages_in_and_stayed_away_is_named_and_paid_on_a_persons_word(tmp_path: Path) -> None:
    bench = start_bench(tmp_path)
    office, study = Recruiting(bench.market.store), link_study((two_hits(bench),), status="published")
    office.add_study(study)
    for name, pages in (("ann", 1), ("bob", 0), ("cem", 1)):
        link = given(office.person_link(study, SITE, name, name, None))
        worker = bench.work.enter("class", link, stamp="").worker.worker_id
        for _ in range(pages):
            bench.work.submit(bench.work.go_on(worker), [("q", "1")])
    bench.work.quit(worker)
    assert settle(office, LinkPanel(), study, clock=bench.clock).look == ()
    bench.clock.forward(minutes=maximum_minutes(study.minutes) + 1)
    (named,) = settle(office, LinkPanel(), study, clock=bench.clock).look
    assert named.entry.session == "ann" and "1 of 2 pages" in named.why
    assert settle(office, LinkPanel(), study, clock=bench.clock, approve=["ann", "cem"]).listed == 2
    assert [entry.state for entry in office.entries("class")] == ["approved", "working", "approved"]
    assert settle(office, LinkPanel(), study, clock=bench.clock, approve=["ann"]).listed == 0
    assert office.list_paid("class", office.make_list("class")) == 2
    bench.market.close()


# -- the token ----------------------------------------------------------------------------------------------------


def test_the_token_is_in_no_log_ledger_error_or_traceback(
    desk: Desk, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = [repr(Secret(TOKEN)), str(vars(desk.panel))]
    desk.open()
    desk.person(seconds=600)
    for fault in ("unreachable", "dropped after", "garbled after", "500 before"):
        desk.faults = iter(["", fault] * 8)
        try:
            desk.settle()
        except MTurkError as error:
            seen += [
                str(error),
                "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
            ]
    wrong = Prolific(Secret(f"{TOKEN}-wrong"), desk.fake, name_of=str, pause=lambda _: None)
    with pytest.raises(PanelRefused, match="does not accept the token") as caught:
        wrong.submission("x")
    seen += ["".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())]
    seen += [record.getMessage() + str(record.__dict__) for record in caplog.records]
    seen += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(seen) > 20
    assert not [text for text in seen if TOKEN in text]
    with pytest.raises(TypeError):
        import pickle

        pickle.dumps(Secret(TOKEN))


def test_pages_are_followed_by_their_path_only(desk: Desk) -> None:
    desk.open()
    for _ in range(120):
        desk.fake.arrive(desk.study.panel_id)
    assert len(desk.panel.submissions(desk.study)) == 120  # the fake's links lead to another host


def test_reads_are_tried_again_and_payments_are_not(desk: Desk) -> None:
    desk.open()
    desk.faults = iter(["dropped before", "500 before", "429"])
    assert desk.panel.submission("0" * 24) is None
    before = len(desk.fake.calls)
    desk.faults = iter(["dropped before"])
    with pytest.raises(PanelDoubt):
        desk.panel.pay_bonus("x")
    desk.faults = iter(["unreachable"])
    with pytest.raises(PanelUnreachable):
        desk.panel.pay_bonus("x")
    assert len(desk.fake.calls) == before + 2
