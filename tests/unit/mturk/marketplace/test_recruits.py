"""People from a panel: only by a genuine link, only the study's work, one code, one person one worker."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from galloway.mturk.marketplace.errors import BadForm, NotEligible, NotFound, NothingAvailable, OperatorError
from galloway.mturk.marketplace.lifecycle.recruits import hook_path
from galloway.mturk.marketplace.office.operator import Operator
from galloway.mturk.marketplace.office.recruiting import Recruiting, recorded_sources
from galloway.mturk.marketplace.pages import create_worker_app
from galloway.mturk.recruiting.values import Group
from galloway.mturk.recruiting.wage import maximum_minutes, measured_pay, top_up

from tests.support.marketplace import Bench, start_bench
from tests.support.recruits import SITE, given, link_study, prolific_study, published

PERSON, SESSION = "5f0a1b2c3d4e5f6071829300", "6a0a1b2c3d4e5f6071829311"


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = start_bench(tmp_path)
    yield made
    made.market.close()


def _group(bench: Bench, hits: int = 4, **changes: Any) -> Group:
    made = [bench.hit(**changes) for _ in range(hits)]
    return Group(made[0]["HITGroupId"], 3)


def _class(bench: Bench, **changes: Any) -> tuple[Recruiting, dict[str, str]]:
    study = link_study((_group(bench),), **changes)
    office = published(bench, study)
    return office, given(office.person_link(study, SITE, "ann@uni", "s1", None))


def _do(bench: Bench, worker_id: str, pages: int = 2, seconds: float = 60) -> None:
    for _ in range(pages):
        assignment = bench.work.go_on(worker_id)
        bench.clock.forward(seconds=seconds)
        bench.work.submit(assignment, [("q", "yes")])


def test_a_person_lands_works_and_gets_a_code_that_is_good_once(bench: Bench) -> None:
    office, link = _class(bench)
    welcome = bench.work.welcome("class", link)
    bench.clock.forward(seconds=30)
    worker = bench.work.enter("class", link, stamp=welcome.stamp).worker
    assert worker.source == "classroom" and worker.worker_id.startswith("A") and worker.name == ""
    way = bench.work.way(worker.worker_id)
    assert way is not None and way.more and not way.may_finish
    with pytest.raises(BadForm, match="something left"):
        bench.work.finish(worker.worker_id)
    _do(bench, worker.worker_id)
    assert bench.work.go_on(worker.worker_id) == ""
    done = bench.work.finish(worker.worker_id)
    assert done == bench.work.finish(worker.worker_id)
    assert done.back == f"https://panel.example.org/done?cc={done.entry.code}&who=ann%40uni"
    (entry,) = office.entries("class")
    assert (entry.state, entry.done, entry.seconds) == ("pending", 2, 150.0)
    assert office.redeem("class", entry.code.lower()).participant == "ann@uni"
    with pytest.raises(OperatorError, match="taken before"):
        office.redeem("class", entry.code)
    for wrong in ("", "AAAAA-BBBBB-CCCCC"):
        with pytest.raises(OperatorError, match="is no completion code"):
            office.redeem("class", wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"sig": ""},
        {"sig": "x" * 27},
        {"participant": "bob"},
        {"session": "s2"},
        {"until": "99999999999"},
        {"sig": "ü"},
    ],
)
def test_a_link_that_is_not_signed_opens_nothing(bench: Bench, change: dict[str, str]) -> None:
    office, link = _class(bench)
    for step in (bench.work.welcome, lambda key, args: bench.work.enter(key, args, stamp=""), bench.work.decline):
        with pytest.raises(NotEligible, match="not signed by us"):
            step("class", {**link, **change})
    with pytest.raises(NotFound):
        bench.work.welcome("other", link)
    assert office.entries("class") == ()
    assert [row for row in Operator(bench.market.store).workers() if row.source] == []


def test_links_end_and_belong_to_one_person(bench: Bench) -> None:
    study = link_study((_group(bench),), signed="person")
    office = published(bench, study)
    ends = int(bench.clock.now.timestamp()) + 60
    link = given(office.person_link(study, SITE, "ann", "s1", ends))
    bench.work.enter("class", link, stamp="")
    bench.clock.forward(seconds=61)
    with pytest.raises(NotEligible, match="out of date"):
        bench.work.enter("class", link, stamp="")
    with pytest.raises(NotEligible, match="somebody else"):
        bench.work.enter("class", given(office.person_link(study, SITE, "bob", "s1", None)), stamp="")
    with pytest.raises(NotEligible, match="begun this study already"):
        bench.work.enter("class", given(office.person_link(study, SITE, "ann", "s2", None)), stamp="")
    again = bench.work.enter("class", given(office.person_link(study, SITE, "ann", "s1", None)), stamp="")
    assert [entry.worker_id for entry in office.entries("class")] == [again.worker.worker_id]


def test_the_same_name_in_two_sources_is_two_workers_and_in_one_source_one(bench: Bench) -> None:
    group = _group(bench)
    names = {}
    for key, source in (("one", "classroom"), ("two", "classroom"), ("three", "sona")):
        study = link_study((group,), key=key, source=source)
        office = published(bench, study)
        link = given(office.person_link(study, SITE, "ann", "s1", None))
        names[key] = bench.work.enter(key, link, stamp="").worker.worker_id
    assert names["one"] == names["two"] != names["three"]
    sources = {row.worker_id: row.source for row in Operator(bench.market.store).workers()}
    assert sources == {names["one"]: "classroom", names["three"]: "sona"}


def test_a_recruit_takes_only_the_studys_work_and_no_more_than_was_agreed(bench: Bench) -> None:
    office, link = _class(bench)
    other = bench.hit(Title="Something else")
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    group = office.study("class").groups[0].group_id
    with pytest.raises(NotEligible, match="not part of"):
        bench.work.accept(worker, hit_id=other["HITId"])
    for _ in range(2):
        bench.work.submit(bench.work.accept(worker, group_id=group).assignment_id, [("q", "1")])
    with pytest.raises(NotEligible, match="not part of"):
        bench.work.accept(worker, group_id=group)
    bench.work.finish(worker)
    with pytest.raises(NotEligible, match="not part of"):
        bench.work.accept(worker, group_id=group)
    invited = bench.worker()
    bench.work.accept(invited, hit_id=other["HITId"])


def test_two_studies_of_one_source_stand_side_by_side_and_the_link_says_which_one_goes_on(bench: Bench) -> None:
    links = {}
    for key in ("week1", "week2"):
        study = link_study((_group(bench, Title=key),), key=key)
        office = published(bench, study)
        links[key] = given(office.person_link(study, SITE, "ann@uni", "ann@uni", None))

    def enter(key: str) -> str:
        return str(bench.work.enter(key, links[key], stamp="").worker.worker_id)

    def shown(worker_id: str) -> tuple[str, str, int]:
        way = bench.work.way(worker_id)
        assert way is not None
        return way.study.key, way.entry.state, way.entry.done

    ann = enter("week1")
    _do(bench, ann, pages=1)
    assert enter("week2") == ann and shown(ann) == ("week2", "working", 0)
    _do(bench, ann)
    bench.work.finish(ann)
    enter("week1")
    assert shown(ann) == ("week1", "working", 1)
    _do(bench, ann, pages=1)
    enter("week2")
    assert shown(ann) == ("week2", "pending", 2) and bench.work.go_on(ann) == ""
    enter("week1")
    assert bench.work.finish(ann).study.key == "week1"
    assert [entry.state for key in links for entry in office.entries(key)] == ["pending", "pending"]


def test_leaving_one_study_leaves_the_other_as_it_was(bench: Bench) -> None:
    links = {}
    for key in ("week1", "week2"):
        study = link_study((_group(bench, Title=key),), key=key)
        office = published(bench, study)
        links[key] = given(office.person_link(study, SITE, "bob@uni", "bob@uni", None))
    bob = bench.work.enter("week1", links["week1"], stamp="").worker.worker_id
    held = bench.work.go_on(bob)
    bench.work.enter("week2", links["week2"], stamp="")
    bench.work.quit(bob)
    bench.work.quit(bob)
    assert [entry.state for key in links for entry in office.entries(key)] == ["working", "returned"]
    bench.work.enter("week1", links["week1"], stamp="")
    assert bench.work.go_on(bob) == held
    bench.work.quit(bob, erase=True)
    assert [entry.state for key in links for entry in office.entries(key)] == ["returned", "returned"]


def test_studies_that_are_full_closed_or_without_work_say_so(bench: Bench) -> None:
    group = _group(bench, 1, MaxAssignments=1)
    study = link_study((Group(group.group_id, 2),))
    office = Recruiting(bench.market.store)
    office.add_study(study)
    links = [given(office.person_link(study, SITE, name, name, None)) for name in ("ann", "bob", "cem")]
    with pytest.raises(NothingAvailable, match="not open"):
        bench.work.enter("class", links[0], stamp="")
    office.change_study("class", status="published")
    ann, bob = (bench.work.enter("class", link, stamp="").worker.worker_id for link in links[:2])
    with pytest.raises(NothingAvailable, match="Everybody"):
        bench.work.enter("class", links[2], stamp="")
    _do(bench, ann, pages=1)
    assert bench.work.finish(ann).entry.outcome == "COMPLETED"  # the work ran out: the whole pay is due
    assert bench.work.finish(bob).entry.outcome == "NO_WORK"
    office.change_study("class", status="stopped")
    with pytest.raises(NothingAvailable, match="over"):
        bench.work.enter("class", links[2], stamp="")
    assert [entry.state for entry in office.entries("class")] == ["pending", "returned"]


def test_who_agreed_and_did_nothing_gives_the_place_back_when_the_time_is_over(bench: Bench) -> None:
    study = link_study((Group(_group(bench, 2).group_id, 2),))
    office = published(bench, study)
    names = ("ann", "bob", "cem")
    ann, bob, cem = (given(office.person_link(study, SITE, name, name, None)) for name in names)
    idle, busy = (bench.work.enter("class", link, stamp="").worker.worker_id for link in (ann, bob))
    _do(bench, busy, pages=1)
    bench.clock.forward(minutes=maximum_minutes(study.minutes) - 2)
    with pytest.raises(NothingAvailable, match="Everybody"):
        bench.work.enter("class", cem, stamp="")
    bench.clock.forward(minutes=2)
    way = bench.work.way(idle)
    assert way is not None and way.more  # nobody wants the place yet
    bench.work.enter("class", cem, stamp="")
    with pytest.raises(NothingAvailable, match="Everybody"):
        bench.work.enter("class", ann, stamp="")
    assert bench.work.go_on(idle) == ""
    assert bench.work.finish(idle).entry.outcome == "NO_WORK"
    assert bench.work.go_on(busy) != ""


@pytest.mark.parametrize("comes_again", [False, True])
def test_who_begins_late_keeps_a_place_that_nobody_took(bench: Bench, comes_again: bool) -> None:
    study = link_study((Group(_group(bench, 2).group_id, 1),))
    office = published(bench, study)
    ann, bob = (given(office.person_link(study, SITE, name, name, None)) for name in ("ann", "bob"))
    late = bench.work.enter("class", ann, stamp="").worker.worker_id
    bench.clock.forward(minutes=maximum_minutes(study.minutes) + 1)
    if comes_again:
        bench.work.enter("class", ann, stamp="")
    else:
        assert bench.work.go_on(late) != ""
    with pytest.raises(NothingAvailable, match="Everybody"):
        bench.work.enter("class", bob, stamp="")
    assert bench.work.go_on(late) != ""


@pytest.mark.parametrize(("state", "word"), [("approved", "approved"), ("paid", "paid"), ("rejected", "refused")])
def test_a_person_without_the_end_reads_how_it_stands_and_of_no_code(bench: Bench, state: Any, word: str) -> None:
    office, link = _class(bench)
    client = create_worker_app(bench.work, bench.market.store.config).test_client()
    client.post("/recruit/class/enter", data={**link, "stamp": ""})
    (entry,) = office.entries("class")
    _do(bench, entry.worker_id, pages=1)
    office.move(entry.id, state)
    page = client.get("/recruit/").text
    assert f"<li>{word}</li>" in page and "completion code" not in page


def test_who_does_not_agree_is_not_kept_and_may_think_again(bench: Bench) -> None:
    office, link = _class(bench)
    assert bench.work.decline("class", link) == ""
    (entry,) = office.entries("class")
    assert (entry.state, entry.outcome, entry.worker_id) == ("declined", "NO_CONSENT", "")
    bench.work.enter("class", link, stamp="")
    (entry,) = office.entries("class")
    assert (entry.state, entry.outcome) == ("working", None)


def test_leaving_gives_the_page_back_and_erasing_leaves_no_name(bench: Bench) -> None:
    office, link = _class(bench)
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    bench.work.go_on(worker)
    bench.work.quit(worker)
    assert [(entry.state, entry.done) for entry in office.entries("class")] == [("returned", 0)]
    with pytest.raises(NotEligible, match="left this study"):
        bench.work.enter("class", link, stamp="")
    bench.work.quit(worker, erase=True)
    (entry,) = office.entries("class")
    assert "ann" not in entry.participant + entry.session
    with pytest.raises(NotEligible, match="erased"):
        bench.work.enter("class", link, stamp="")


def test_pay_that_is_due_outlives_erasing_and_then_the_name_goes(bench: Bench) -> None:
    office, link = _class(bench)
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    _do(bench, worker)
    bench.work.finish(worker)
    bench.work.quit(worker, erase=True)
    (entry,) = office.entries("class")
    assert entry.participant == "ann@uni"
    office.intend(entry, "reward", Decimal("1.00"), Decimal("0.00"), "")
    assert office.list_paid("class", office.make_list("class")) == 1
    (entry,) = office.entries("class")
    assert entry.state == "paid" and "ann" not in entry.participant


def test_what_is_stored_about_a_recruit_can_be_taken_along(bench: Bench) -> None:
    _, link = _class(bench)
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    _do(bench, worker, pages=1)
    kept = Operator(bench.market.store).export_worker(worker)
    assert kept["worker"]["source"] == "classroom"
    assert [row["participant"] for row in kept["studies"]] == ["ann@uni"]
    assert len(kept["assignments"]) == 1


def test_pay_lists_hold_each_payment_once(bench: Bench) -> None:
    study = link_study((_group(bench),))
    office = published(bench, study)
    for name in ("ann", "bob"):
        link = given(office.person_link(study, SITE, name, name, None))
        worker = bench.work.enter("class", link, stamp="").worker.worker_id
        _do(bench, worker)
        bench.work.finish(worker)
    ann, bob = office.entries("class")
    for _ in range(2):
        office.intend(ann, "reward", Decimal("1.00"), Decimal("0.00"), "")
    assert (office.make_list("class"), office.make_list("class")) == (1, 0)
    office.intend(bob, "reward", Decimal("1.00"), Decimal("0.00"), "")
    office.intend(bob, "bonus", Decimal("0.25"), Decimal("0.00"), "time")
    assert office.make_list("class") == 2
    assert [payment.pay_list for payment in office.payments("class")] == [1, 2, 2]
    assert (office.list_paid("class", 2), office.list_paid("class", 2)) == (2, 0)
    assert [entry.state for entry in office.entries("class")] == ["pending", "paid"]
    with pytest.raises(OperatorError, match="no pay list 3"):
        office.list_paid("class", 3)
    found = recorded_sources(bench.market.config.state_dir, bench.market.config.url)
    assert set(found.of_worker.values()) == {"classroom"}
    assert (found.rewards, found.bonuses) == (
        {"classroom": Decimal("2.00")},
        {"classroom": Decimal("0.25")},
    )  # what is owed counts


def test_sources_are_read_without_making_a_database(tmp_path: Path) -> None:
    found = recorded_sources(tmp_path, f"sqlite:///{tmp_path / 'market.db'}")
    assert dict(found.of_worker) == {} and list(tmp_path.iterdir()) == []


def test_pay_is_held_to_the_floor_on_measured_time(bench: Bench) -> None:
    study = link_study((Group("G", 3),))  # a dollar for six minutes, floor 8 an hour
    assert maximum_minutes(6) == 19
    assert top_up(study, 360) == top_up(study, 450) == Decimal("0.00")
    assert top_up(study, 451) == Decimal("0.01") and top_up(study, 900) == Decimal("1.00")
    assert top_up(study, 10**6) == top_up(study, 19 * 60) == Decimal("1.54")
    office, link = _class(bench)
    assert measured_pay(office.study("class"), office.entries("class")) is None
    worker = bench.work.enter("class", link, stamp="").worker.worker_id
    _do(bench, worker, seconds=450)
    bench.work.finish(worker)
    pay = measured_pay(office.study("class"), office.entries("class"))
    assert pay is not None
    assert (pay.hourly, pay.hourly_with_top_ups, pay.below) == (Decimal("4.00"), Decimal("8.00"), 1)


# -- Prolific's reports -------------------------------------------------------------------------------------------


def _signed(
    bench: Bench, body: dict[str, str], event: str, *, at: int = 0, key: bytes = b"s3cret"
) -> tuple[Any, bytes]:
    sent, text = str(int(bench.clock.now.timestamp()) + at), json.dumps(body).encode()
    mac = base64.b64encode(hmac.new(key, sent.encode() + text, hashlib.sha256).digest()).decode()
    headers = {"X-Prolific-Request-Signature": mac, "X-Prolific-Request-Timestamp": sent, "X-Event-ID": event}
    return headers, text


def _prolific(bench: Bench) -> Recruiting:
    study = prolific_study((_group(bench),))
    office = published(bench, study)
    link = given(office.link(study, SITE), PROLIFIC_PID=PERSON, STUDY_ID=study.panel_id, SESSION_ID=SESSION)
    bench.work.enter("faces", link, stamp="")
    hook_path(bench.market.config.state_dir, "prolific").write_bytes(b"s3cret\n")
    return office


def test_prolifics_link_carries_its_placeholders_unescaped(bench: Bench) -> None:
    study = prolific_study((Group("G", 1),))
    link = Recruiting(bench.market.store).link(study, SITE)
    for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"):
        assert f"&{name}={{{{%{name}%}}}}" in link


@pytest.mark.parametrize(
    "change", [{"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"}, {"STUDY_ID": "0" * 24}, {"SESSION_ID": ""}, {"sig": "x"}]
)
def test_prolifics_link_opens_only_filled_in_and_for_its_study(bench: Bench, change: dict[str, str]) -> None:
    office = _prolific(bench)
    study = office.study("faces")
    link = given(office.link(study, SITE), PROLIFIC_PID=PERSON, STUDY_ID=study.panel_id, SESSION_ID=SESSION)
    with pytest.raises(NotEligible):
        bench.work.welcome("faces", {**link, **change})


def test_reports_count_once_in_the_order_in_which_they_were_sent(bench: Bench) -> None:
    office = _prolific(bench)
    about = {"resource_id": SESSION, "event_type": "submission.status.change", "participant_id": PERSON}
    late = _signed(bench, {**about, "status": "AWAITING REVIEW"}, "e2", at=20)
    early = _signed(bench, {**about, "status": "ACTIVE"}, "e1", at=10)
    assert [bench.work.hear("prolific", *one) for one in (late, early, late)] == [True, True, False]
    assert [entry.panel_state for entry in office.entries("faces")] == ["AWAITING REVIEW"]
    study = {"resource_id": office.study("faces").panel_id, "event_type": "study.status.change", "status": "PAUSED"}
    assert bench.work.hear("prolific", *_signed(bench, study, "e3"))
    assert office.study("faces").status == "paused"


def test_reports_that_are_not_prolifics_change_nothing(bench: Bench) -> None:
    office = _prolific(bench)
    body = {"resource_id": SESSION, "event_type": "submission.status.change", "status": "RETURNED"}
    headers, text = _signed(bench, body, "e1")
    for wrong in (
        _signed(bench, body, "e1", key=b"other"),
        _signed(bench, body, "e1", at=-301),
        _signed(bench, body, "e1", at=301),
        (headers, text + b" "),
        ({**headers, "X-Prolific-Request-Timestamp": "9"}, text),
        ({}, text),
    ):
        with pytest.raises(NotEligible):
            bench.work.hear("prolific", *wrong)
    with pytest.raises(BadForm, match="X-Event-ID"):
        bench.work.hear("prolific", {**headers, "X-Event-ID": ""}, text)
    with pytest.raises(NotFound):
        bench.work.hear("connect", headers, text)
    assert [entry.panel_state for entry in office.entries("faces")] == [""]


def test_who_returned_the_submission_may_come_again_as_the_same_worker(bench: Bench) -> None:
    office = _prolific(bench)
    study = office.study("faces")
    (entry,) = office.entries("faces")
    office.move(entry.id, "returned", "RETURNED")
    again = given(office.link(study, SITE), PROLIFIC_PID=PERSON, STUDY_ID=study.panel_id, SESSION_ID="7" * 24)
    worker = bench.work.enter("faces", again, stamp="").worker.worker_id
    (after,) = office.entries("faces")
    assert (after.session, after.state, after.worker_id) == ("7" * 24, "working", worker) and worker == entry.worker_id
