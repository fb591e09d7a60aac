"""Blocks, messages, and what workers can and cannot do."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from galloway.mturk.marketplace import errors
from galloway.mturk.marketplace.desk import finding
from galloway.mturk.marketplace.store import tables as t

from tests.support.marketplace import HTML, QUESTION_FORM, Bench, external_question, fails, html_question


def test_blocks_keep_workers_from_accepting(bench: Bench) -> None:
    hit, other, worker = bench.hit()["HITId"], bench.hit(Title="Other")["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit).assignment_id
    for reason in ("spam", "spam again"):
        bench.client.create_worker_block(WorkerId=worker, Reason=reason)
    assert bench.client.list_worker_blocks()["WorkerBlocks"] == [{"WorkerId": worker, "Reason": "spam again"}]
    assert bench.requester("Bob").list_worker_blocks()["WorkerBlocks"] == []
    with pytest.raises(errors.NotEligible):
        bench.work.accept(worker, hit_id=other)
    assert bench.work.groups(worker).groups == ()
    bench.work.submit(held, [("q", "1")])
    bench.client.delete_worker_block(WorkerId=worker, Reason="we talked")
    bench.client.delete_worker_block(WorkerId=worker)
    bench.work.accept(worker, hit_id=other)
    with fails("WorkerDoesNotExist", "does not exist"):
        bench.client.create_worker_block(WorkerId="A0UNKNOWN", Reason="r")
    with fails("InvalidParameterValue", "WorkerId is invalid."):
        bench.client.delete_worker_block(WorkerId="nobody")


def test_block_lists_have_pages(bench: Bench) -> None:
    for number in range(3):
        bench.client.create_worker_block(WorkerId=bench.worker(f"w{number}"), Reason="r")
    pages = bench.client.get_paginator("list_worker_blocks").paginate(PaginationConfig={"PageSize": 2})
    assert [page["NumResults"] for page in pages] == [2, 1, 0]


def test_messages_reach_workers_with_decided_work(bench: Bench) -> None:
    known, new = bench.worker(), bench.worker("ben")
    bench.client.approve_assignment(AssignmentId=bench.done(bench.hit()["HITId"], known))
    sent = bench.client.notify_workers(Subject="More faces", MessageText="Come back.", WorkerIds=[known, new, "A0X"])
    failures = {item["WorkerId"]: item["NotifyWorkersFailureCode"] for item in sent["NotifyWorkersFailureStatuses"]}
    assert failures == {new: "HardFailure", "A0X": "HardFailure"}
    (message,) = bench.work.messages(known)
    assert (message.sender, message.subject, message.text, message.read) == ("Ada", "More faces", "Come back.", False)
    bench.work.mark_read(known, message.message_id)
    assert bench.work.messages(known)[0].read
    with fails("InvalidParameterValue"):
        bench.client.notify_workers(Subject="s", MessageText="m", WorkerIds=[f"A{number}" for number in range(101)])
    with fails("InvalidParameterValue"):
        bench.client.notify_workers(Subject="s" * 201, MessageText="m", WorkerIds=[known])


def test_a_worker_gets_a_hit_once(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit)
    assert bench.work.accept(worker, hit_id=hit).assignment_id == held.assignment_id
    bench.work.submit(held.assignment_id, [("q", "1")])
    with pytest.raises(errors.NothingAvailable):
        bench.work.accept(worker, hit_id=hit)
    assert bench.work.groups(worker).groups == ()


def test_what_was_returned_can_be_taken_again(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    first = bench.work.accept(worker, hit_id=hit).assignment_id
    bench.work.return_(worker, first)
    bench.work.return_(worker, first)
    assert bench.work.accept(worker, hit_id=hit).assignment_id != first
    with pytest.raises(errors.NotFound):
        bench.work.return_(bench.worker("ben"), first)


def test_submit_twice_changes_nothing(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit).assignment_id
    first = bench.work.submit(held, [("q", "1")])
    again = bench.work.submit(held, [("q", "2")])
    assert (first.repeated, again.repeated) == (False, True)
    assert "<FreeText>1<" in bench.client.get_assignment(AssignmentId=held)["Assignment"]["Answer"]


def test_previews_and_unknown_ids_store_nothing(bench: Bench) -> None:
    with pytest.raises(errors.InPreview):
        bench.work.submit("ASSIGNMENT_ID_NOT_AVAILABLE", [("q", "1")])
    for name in ("3NOBODY", "", "x\x00y"):
        with pytest.raises(errors.NotFound):
            bench.work.submit(name, [("q", "1")])


def test_late_work_is_refused_and_kept(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit).assignment_id
    bench.clock.forward(seconds=600)
    with pytest.raises(errors.TooLate, match="ran out of time"):
        bench.work.submit(held, [("q", "precious")])
    assert bench.status(hit) == ("Assignable", 3, 0, 0)
    assert bench.work.history(worker).records[0].status == "Abandoned"
    assert "precious" in bench.market.operator.export_worker(worker)["late_submissions"][0]["fields"]
    assert bench.market.operator.overview().stuck[0].assignment_id == held
    with pytest.raises(errors.TooLate):
        bench.work.held(worker, held)


def test_groups_tell_pay_time_and_requester(bench: Bench) -> None:
    worker = bench.worker()
    bench.hit(Title="Cheap faces", Reward="0.05", AssignmentDurationInSeconds=3600)
    dear = bench.hit(Title="Dear faces", Reward="0.50", MaxAssignments=9)
    held = bench.work.accept(bench.worker("ben"), hit_id=dear["HITId"])
    bench.clock.forward(seconds=120)
    bench.work.submit(held.assignment_id, [("q", "1")])
    bench.client.approve_assignment(AssignmentId=held.assignment_id)
    for sort in ("newest", "reward", "hourly", "time", "available"):
        assert len(bench.work.groups(worker, sort=sort).groups) == 2
    first = bench.work.groups(worker, sort="hourly").groups[0]
    assert (first.title, first.median_seconds, first.hourly) == ("Dear faces", 120, Decimal("15.00"))
    assert (first.approval_rate, first.requester_name, first.available) == (1.0, "Ada", 1)
    assert [group.title for group in bench.work.groups(worker, query="cheap").groups] == ["Cheap faces"]
    assert [group.title for group in bench.work.groups(worker, min_reward=Decimal("0.10")).groups] == ["Dear faces"]
    assert [group.title for group in bench.work.groups(worker, max_minutes=10).groups] == ["Dear faces"]
    page = bench.work.groups(worker, limit=1)
    rest = bench.work.groups(worker, limit=1, cursor=page.next_cursor)
    assert page.total == 2 and rest.next_cursor is None and rest.groups[0] != page.groups[0]
    assert bench.work.group(worker, dear["HITTypeId"]) == bench.work.group(worker, dear["HITGroupId"])


def test_many_kinds_of_work_are_counted_up_to_a_bound(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = bench.worker()
    for number in range(5):
        bench.hit(Title=f"Faces {number}")
    page = bench.work.groups(worker, limit=2)
    assert (page.total, page.all_counted) == (5, True)
    monkeypatch.setattr(finding, "COUNTED", 3)
    for cursor in (None, page.next_cursor):
        again = bench.work.groups(worker, limit=2, cursor=cursor)
        assert (again.total, again.all_counted, len(again.groups)) == (3, False, 2)


def test_batches_of_one_kind_of_work_are_one_entry_and_follow_each_other(bench: Bench) -> None:
    worker = bench.worker()
    made = [bench.hit(Title="Faces", AutoApprovalDelayInSeconds=60 * n, MaxAssignments=1) for n in range(1, 4)]
    bench.hit(Title="Faces", Reward="0.50")
    assert len({hit["HITTypeId"] for hit in made}) == 3
    dear, batches = sorted(bench.work.groups(worker).groups, key=lambda group: -group.reward)
    assert (dear.available, batches.available, bench.work.groups(worker).total) == (1, 3, 2)
    assert bench.work.group(worker, made[0]["HITTypeId"]).available == 3
    taken = [bench.work.accept(worker, group_id=made[1]["HITGroupId"]).hit_id for _ in made]
    assert set(taken) == {hit["HITId"] for hit in made} and taken[0] == made[1]["HITId"]
    with pytest.raises(errors.NothingAvailable):
        bench.work.accept(worker, group_id=made[1]["HITGroupId"])
    assert [group.title for group in bench.work.groups(worker).groups] == ["Faces"]


def test_an_absurd_hourly_figure_is_not_shown_and_not_sorted_by(bench: Bench) -> None:
    worker, ben = bench.worker(), bench.worker("ben")
    for title, seconds in (("Unread", 1), ("Looked at", 30)):
        held = bench.work.accept(ben, hit_id=bench.hit(Title=title, Reward="0.15", MaxAssignments=9)["HITId"])
        bench.clock.forward(seconds=seconds)
        bench.work.submit(held.assignment_id, [("q", "1")])
        bench.client.approve_assignment(AssignmentId=held.assignment_id)
    found = [(group.title, group.hourly) for group in bench.work.groups(worker, sort="hourly").groups]
    assert found == [("Looked at", Decimal("18.00")), ("Unread", None)]
    assert bench.work.earnings(ben).hourly == Decimal("34.84")


def test_instructions_are_known_as_read_after_a_page_that_asked_the_same(bench: Bench) -> None:
    def seen(hit: dict[str, Any]) -> bool:
        found = bench.work.preview(worker, hit_id=hit["HITId"])
        return bool(bench.work.open_frame(token(found.frame_url)).seen)

    worker = bench.worker()
    first, same = bench.hit(Title="Faces"), bench.hit(Title="Faces", Reward="0.09")
    other = bench.hit(Title="Other")
    held = bench.work.accept(worker, hit_id=first["HITId"])
    assert not seen(same)
    bench.work.submit(held.assignment_id, [("q", "1")])
    assert (seen(same), seen(other)) == (True, False)


def test_what_a_group_shows_follows_everything_that_happens_to_its_hits(bench: Bench) -> None:
    def kept() -> list[tuple[str, int]]:
        open_hits = sa.select(sa.func.count()).where(t.hit.c.type_id == t.hit_type.c.id, t.hit.c.status == "Assignable")
        with bench.market.store.read() as tx:
            found = tx.conn.execute(
                sa.select(t.hit_type.c.title, t.hit_type.c.open_hits, open_hits.scalar_subquery()).order_by(
                    t.hit_type.c.seq
                )
            ).all()
        assert [row[1] for row in found] == [row[2] for row in found]
        return [(row[0], row[1]) for row in found]

    first, second = bench.hit(Title="A", MaxAssignments=1), bench.hit(Title="A", MaxAssignments=1)
    other = bench.hit(Title="B", LifetimeInSeconds=3600)
    assert kept() == [("A", 2), ("B", 1)]
    ann = bench.worker()
    held = bench.work.accept(ann, hit_id=first["HITId"]).assignment_id
    assert kept() == [("A", 1), ("B", 1)]
    bench.work.return_(ann, held)
    assert kept() == [("A", 2), ("B", 1)]
    bench.client.update_hit_type_of_hit(HITId=second["HITId"], HITTypeId=other["HITTypeId"])
    assert kept() == [("A", 1), ("B", 2)]
    bench.done(first["HITId"], bench.worker("ben"))
    bench.client.update_expiration_for_hit(HITId=second["HITId"], ExpireAt=0)
    assert kept() == [("A", 0), ("B", 1)]
    bench.clock.forward(seconds=3601)
    assert kept() == [("A", 0), ("B", 0)]
    assert bench.work.groups(ann).groups == ()
    bench.client.create_additional_assignments_for_hit(HITId=other["HITId"], NumberOfAdditionalAssignments=1)
    bench.client.update_expiration_for_hit(HITId=other["HITId"], ExpireAt=bench.clock() + timedelta(hours=2))
    assert kept() == [("A", 0), ("B", 1)]
    [group] = bench.work.groups(ann).groups
    assert (group.title, group.available, group.expires_at) == ("B", 1, bench.clock() + timedelta(hours=2))


def test_groups_are_found_by_words_beyond_ascii_and_by_what_they_ask(bench: Bench) -> None:
    bench.hit(Title="Überall 100% Gesichter", Keywords="eins_zwei")
    bench.hit(Title="Andere", Reward="0.05")
    worker = bench.worker()
    for query, found in (("über", 1), ("100%", 1), ("S_Z", 1), ("gesichter ada", 1), ("sXz", 0), ("", 2)):
        assert bench.work.groups(worker, query=query).total == found, query
    assert bench.work.groups(worker, min_reward=Decimal("0.0501")).total == 1
    assert bench.work.groups(worker, min_reward=Decimal("1e30")).total == 0


def test_accepting_from_a_group_goes_on_until_it_is_empty(bench: Bench) -> None:
    made = [bench.hit()["HITId"] for _ in range(3)]
    worker, group = bench.worker(), bench.hit()["HITGroupId"]
    bench.client.update_expiration_for_hit(HITId=made[1], ExpireAt=0)
    taken = [bench.work.accept(worker, group_id=group).hit_id for _ in range(3)]
    assert taken[:2] == [made[0], made[2]]
    with pytest.raises(errors.NothingAvailable):
        bench.work.accept(worker, group_id=group)
    assert [held.hit_id for held in bench.work.current(worker)] == taken


def test_a_form_that_is_sent_twice_takes_one_hit(bench: Bench) -> None:
    group, *_ = [bench.hit()["HITGroupId"] for _ in range(4)]
    ann, bob = bench.worker("ann"), bench.worker("bob")

    def take(worker: str, once: str) -> str:
        return bench.work.accept(worker, group_id=group, once=once).assignment_id

    first = take(ann, "form one")
    assert take(ann, "form one") == first
    assert take(bob, "form one") != first, "another worker's is another form"
    assert take(ann, "form two") != first
    assert len(bench.work.current(ann)) == 2
    bench.work.submit(first, [("q", "1")])
    again = take(ann, "form one")
    assert again != first, "a page that the Back button brought takes the next one"
    assert take(ann, "form one") == again
    assert re.fullmatch("3[A-Z0-9]{29}", again)


def test_nobody_holds_more_than_allowed(start: Any) -> None:
    bench = start(max_held=2)
    worker = bench.worker()
    for _ in range(2):
        bench.work.accept(worker, hit_id=bench.hit()["HITId"])
    with pytest.raises(errors.TooManyHeld):
        bench.work.accept(worker, hit_id=bench.hit()["HITId"])


def token(url: str) -> str:
    return url.split("/frame/")[1].split("?")[0]


def test_frames_carry_the_contract(bench: Bench) -> None:
    hit, worker = bench.hit(), bench.worker()
    preview = bench.work.preview(worker, group_id=hit["HITGroupId"])
    assert preview.frame_url.startswith("http://127.0.0.1:8002/frame/")
    assert "assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE" in preview.frame_url and "workerId" not in preview.frame_url
    document = bench.work.open_frame(token(preview.frame_url))
    assert (document.preview, document.assignment_id, document.worker_id) == (True, "ASSIGNMENT_ID_NOT_AVAILABLE", "")
    held = bench.work.held(worker, bench.work.accept(worker, hit_id=hit["HITId"]).assignment_id)
    for part in (f"assignmentId={held.assignment_id}", f"hitId={hit['HITId']}", f"workerId={worker}", "turkSubmitTo"):
        assert part in held.frame_url
    document = bench.work.open_frame(token(held.frame_url))
    assert (document.question.html, document.submit_url) == (HTML, "http://127.0.0.1:8002/mturk/externalSubmit")
    bench.work.save_draft(held.assignment_id, [("q", "half"), ("q", "done")])
    assert bench.work.open_frame(token(held.frame_url)).draft == {"q": ("half", "done")}
    assert bench.work.held(worker, held.assignment_id).draft_saved_at == bench.clock.now
    bench.work.submit(held.assignment_id, [("q", "1")])
    for link in (token(held.frame_url), token(held.frame_url)[:-1] + "x", "", "a.b.c"):
        with pytest.raises(errors.NotFound):
            bench.work.open_frame(link)


def test_external_questions_keep_their_own_parameters(bench: Bench) -> None:
    hit = bench.hit(Question=external_question("https://example.org/task?a=1&amp;b=2#top"))["HITId"]
    worker = bench.worker()
    held = bench.work.held(worker, bench.work.accept(worker, hit_id=hit).assignment_id)
    url = bench.work.open_frame(token(held.frame_url)).external_url
    assert url.startswith(f"https://example.org/task?a=1&b=2&assignmentId={held.assignment_id}&hitId={hit}&workerId=A")
    assert url.endswith("&turkSubmitTo=http%3A%2F%2F127.0.0.1%3A8002#top")


def test_question_forms_are_checked_and_scored_as_selections(bench: Bench) -> None:
    hit = bench.hit(Question=QUESTION_FORM)["HITId"]
    held = bench.work.accept(bench.worker(), hit_id=hit).assignment_id
    with pytest.raises(errors.BadForm, match="colour: a choice is needed; age: a number is needed"):
        bench.work.submit(held, [("age", "old")])
    bench.work.submit(held, [("colour", "red"), ("colour", "green"), ("other:colour", "pink"), ("age", "33")])
    answer = bench.client.get_assignment(AssignmentId=held)["Assignment"]["Answer"]
    assert "<SelectionIdentifier>red</SelectionIdentifier><OtherSelectionText>pink</OtherSelectionText>" in answer
    assert "green" not in answer and "<FreeText>33</FreeText>" in answer


def test_a_licence_before_a_form_leaves_it_a_form(bench: Bench) -> None:
    licence = f"<!-- {'Licensed under the Apache License. ' * 20} -->"
    held = bench.work.accept(bench.worker(), hit_id=bench.hit(Question=licence + QUESTION_FORM)["HITId"]).assignment_id
    with pytest.raises(errors.BadForm, match="a choice is needed"):
        bench.work.submit(held, [("age", "4")])
    bench.work.submit(held, [("colour", "red"), ("colour", "blue"), ("age", "4")])
    answer = bench.client.get_assignment(AssignmentId=held)["Assignment"]["Answer"]
    assert "<SelectionIdentifier>red</SelectionIdentifier><SelectionIdentifier>blue</SelectionIdentifier>" in answer


def test_a_page_that_sends_no_answer_is_not_done(bench: Bench) -> None:
    worker = bench.worker()
    for question in (external_question("https://example.org/"), html_question()):
        held = bench.work.accept(worker, hit_id=bench.hit(Question=question)["HITId"]).assignment_id
        own = [("assignmentId", held), ("workerId", worker)]
        if question.startswith("<External"):
            with pytest.raises(errors.BadForm, match="sent no answer"):
                bench.work.submit(held, own)
            assert not bench.work.keep_refused(held, [*own, ("q", "1")]), "a page of another server shows no draft"
            own.append(("q", ""))
        with pytest.raises(errors.BadForm, match="sent no answer"):
            bench.work.submit(held, [])
        bench.work.submit(held, own)  # a form of the frame whose boxes are all unticked has nothing besides the id


@pytest.mark.parametrize("letter", ["a", "é", "顔", "😀"])
def test_what_is_too_long_to_send_is_kept(bench: Bench, letter: str) -> None:
    worker = bench.worker()
    held = bench.work.held(worker, bench.work.accept(worker, hit_id=bench.hit()["HITId"]).assignment_id)
    fields = [("q", letter * 300_000)]
    with pytest.raises(errors.BadForm, match="longer than 256 KB"):
        bench.work.submit(held.assignment_id, fields)
    assert bench.work.keep_refused(held.assignment_id, fields)
    assert bench.work.open_frame(token(held.frame_url)).draft == {"q": (letter * 300_000,)}
    assert not bench.work.keep_refused(held.assignment_id, [("q", letter * 2_000_000)])
    assert not bench.work.keep_refused(held.assignment_id, [("assignmentId", held.assignment_id)])
    assert bench.work.open_frame(token(held.frame_url)).draft == {"q": (letter * 300_000,)}


def test_appeals_and_earnings(bench: Bench) -> None:
    hit, worker = bench.hit(Reward="0.30")["HITId"], bench.worker()
    held = bench.work.accept(worker, hit_id=hit).assignment_id
    bench.clock.forward(seconds=300)
    bench.work.submit(held, [("q", "1")])
    assert bench.work.earnings(worker).pending_pay == Decimal("0.30")
    with pytest.raises(errors.BadForm):
        bench.work.appeal(worker, held, "why")
    bench.client.reject_assignment(AssignmentId=held, RequesterFeedback="too fast")
    assert bench.work.record(worker, held).can_appeal
    record = bench.work.appeal(worker, held, "I looked at every face.")
    assert (record.feedback, record.appeal.text, record.can_appeal) == ("too fast", "I looked at every face.", False)
    assert bench.market.operator.overview().appeals[0].text == "I looked at every face."
    bench.client.approve_assignment(AssignmentId=held, OverrideRejection=True)
    earned = bench.work.earnings(worker)
    assert (earned.total, earned.seconds, earned.hourly) == (Decimal("0.30"), 300, Decimal("3.60"))
    assert (earned.days[0].day, earned.days[0].earned) == ("2026-11-22", Decimal("0.30"))
    assert bench.work.history(worker, status="Rejected").records == ()


def test_accounts_open_close_and_guard_themselves(bench: Bench) -> None:
    invite = bench.work.invite(uses=1, note="for Ann")
    assert bench.work.read_invite(invite.token).note == "for Ann"
    for wrong in ({"password": "short"}, {"name": " "}, {"country": "USA"}):
        with pytest.raises(errors.BadForm):
            bench.work.join(invite.token, **{"name": "ann", "password": "long enough", **wrong})
    session = bench.work.join(invite.token, name="Ann", password="long enough", country="us", subdivision="pa")
    with pytest.raises(errors.NotFound):
        bench.work.read_invite(invite.token)
    with pytest.raises(errors.BadForm, match="taken"):
        bench.work.join(bench.work.invite().token, name="ANN", password="long enough")
    assert bench.work.worker_of(session.token).worker_id == session.worker.worker_id
    bench.work.sign_out(session.token)
    assert bench.work.worker_of(session.token) is None
    again = bench.work.sign_in("ann", "long enough", address="127.0.0.1")
    held = bench.work.accept(again.worker.worker_id, hit_id=bench.hit()["HITId"])
    with pytest.raises(errors.SignInRefused):
        bench.work.leave(again.worker.worker_id, "wrong")
    bench.work.leave(again.worker.worker_id, "long enough")
    assert bench.work.worker_of(again.token) is None and bench.status(held.hit_id)[2] == 0
    with pytest.raises(errors.SignInRefused):
        bench.work.sign_in("ann", "long enough", address="127.0.0.1")


def test_a_new_password_ends_the_other_sessions(bench: Bench) -> None:
    worker = bench.worker("ann")
    here, there = (bench.work.sign_in("ann", "correct horse", address="10.0.0.1") for _ in range(2))
    with pytest.raises(errors.BadForm):
        bench.work.change_password(worker, "correct horse", "short", keep=here.token)
    with pytest.raises(errors.SignInRefused):
        bench.work.change_password(worker, "guess", "battery staple", keep=here.token)
    bench.work.change_password(worker, "correct horse", "battery staple", keep=here.token)
    assert bench.work.worker_of(here.token) is not None and bench.work.worker_of(there.token) is None
    with pytest.raises(errors.SignInRefused):
        bench.work.sign_in("ann", "correct horse", address="10.0.0.1")
    assert bench.work.sign_in("ann", "battery staple", address="10.0.0.1").worker.worker_id == worker
    for _ in range(10):
        with pytest.raises(errors.SignInRefused):
            bench.work.change_password(worker, "guess", "battery staple", keep=here.token)
    with pytest.raises(errors.SlowDown):
        bench.work.change_password(worker, "battery staple", "correct horse", keep=here.token)


def test_guessing_passwords_is_slowed_down(bench: Bench) -> None:
    bench.worker("ann")
    for _ in range(10):
        with pytest.raises(errors.SignInRefused):
            bench.work.sign_in("ann", "guess", address="10.0.0.9")
    for name, address in (("ann", "10.0.0.1"), ("ben", "10.0.0.9")):
        with pytest.raises(errors.SlowDown) as slow:
            bench.work.sign_in(name, "correct horse", address=address)
        assert 0 < slow.value.seconds <= 900
    bench.clock.forward(minutes=16)
    assert bench.work.sign_in("ann", "correct horse", address="10.0.0.9").worker.name == "ann"


def test_revoked_requesters_leave_the_worker_site(bench: Bench) -> None:
    hit, worker = bench.hit()["HITId"], bench.worker()
    bench.market.operator.revoke_requester("Ada")
    assert bench.work.groups(worker).groups == ()
    with pytest.raises(errors.NothingAvailable):
        bench.work.accept(worker, hit_id=hit)
    with fails("UnrecognizedClientException"):
        bench.client.get_account_balance()


def test_a_name_that_looks_like_anothers_is_refused(bench: Bench) -> None:
    bench.worker("Ann Lee")
    with pytest.raises(errors.BadForm, match="looks like somebody else's"):
        bench.worker("\u0410nn Lee")  # a Cyrillic A
    bench.worker("Anna Lee")


def test_keys_and_names_are_the_owners_alone(bench: Bench) -> None:
    bench.worker("Ann Lee")
    if bench.market.store.engine.dialect.name == "sqlite":
        folder = bench.market.config.state_dir
        assert oct(folder.stat().st_mode)[-3:] == "700"
        assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}


def test_no_byte_of_an_erased_workers_name_stays(bench: Bench) -> None:
    """Also not in failed sign-ins, in pages of the database that were freed, in its log and in the files beside it."""
    worker = bench.worker("Ann Example")
    with pytest.raises(errors.SignInRefused):
        bench.market.work.sign_in("Ann Example", "a wrong password", address="203.0.113.9")
    bench.done(bench.hit(Question=html_question())["HITId"], worker, q="mine")
    if bench.market.store.engine.dialect.name != "sqlite":
        assert bench.market.operator.erase_worker(worker) == ""
        return
    folder = bench.market.config.state_dir

    def holders() -> list[str]:
        return [path.name for path in folder.iterdir() if b"ann example" in path.read_bytes().lower()]

    assert holders()
    assert bench.market.operator.erase_worker(worker) == ""
    assert holders() == []


def test_erasing_a_worker_keeps_answers_under_the_opaque_id(bench: Bench) -> None:
    worker = bench.worker("Ann Example")
    done = bench.done(bench.hit(Question=html_question())["HITId"], worker, q="mine")
    export = bench.market.operator.export_worker(worker)
    assert export["worker"]["name"] == "Ann Example" and "password" not in export["worker"]
    assert export["assignments"][0]["reward"] == "0.15"
    bench.market.operator.erase_worker(worker)
    assert "Ann" not in str(bench.market.operator.export_worker(worker)["worker"])
    assert bench.client.get_assignment(AssignmentId=done)["Assignment"]["WorkerId"] == worker
    with pytest.raises(errors.OperatorError):
        bench.market.operator.erase_worker("A0UNKNOWN")
