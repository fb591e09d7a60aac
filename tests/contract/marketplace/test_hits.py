"""HITs through boto3: types, creation, states, extension, expiration, review status, disposal, lists."""

from __future__ import annotations

from typing import Any

import pytest
from galloway.mturk.marketplace.rules.questions import parse_question

from tests.support.marketplace import Bench, external_question, fails, html_question

TYPE = {
    "Title": "Keep or reject faces",
    "Description": "Look at 24 faces.",
    "Reward": "0.1",
    "AssignmentDurationInSeconds": 600,
    "Keywords": "faces",
}


def test_equal_hit_types_are_one(bench: Bench) -> None:
    first = bench.client.create_hit_type(**TYPE)["HITTypeId"]
    same = bench.client.create_hit_type(**{**TYPE, "Reward": "0.10", "AutoApprovalDelayInSeconds": 2592000})
    other = bench.client.create_hit_type(**{**TYPE, "Title": "Keep or reject faces!"})
    assert same["HITTypeId"] == first != other["HITTypeId"]
    assert bench.requester("Bob").create_hit_type(**TYPE)["HITTypeId"] != first


def test_create_hit_finds_the_type_and_echoes_everything(bench: Bench) -> None:
    type_id = bench.client.create_hit_type(**TYPE)["HITTypeId"]
    hit = bench.hit(**TYPE, RequesterAnnotation="batch-1", MaxAssignments=2)
    assert hit["HITTypeId"] == type_id != hit["HITGroupId"]
    assert (hit["Reward"], hit["RequesterAnnotation"], hit["HITStatus"]) == ("0.10", "batch-1", "Assignable")
    assert hit["Expiration"] == bench.clock.now.replace(hour=8)
    again = bench.client.create_hit_with_hit_type(HITTypeId=type_id, LifetimeInSeconds=60, Question=html_question())[
        "HIT"
    ]
    assert (again["HITTypeId"], again["HITGroupId"], again["MaxAssignments"]) == (type_id, hit["HITGroupId"], 1)
    assert bench.client.get_hit(HITId=again["HITId"])["HIT"] == again


def test_a_hit_type_of_somebody_else_does_not_exist(bench: Bench) -> None:
    type_id = bench.requester("Bob").create_hit_type(**TYPE)["HITTypeId"]
    with fails("HITTypeDoesNotExist", "does not exist"):
        bench.client.create_hit_with_hit_type(HITTypeId=type_id, LifetimeInSeconds=60, Question=html_question())


def test_states_follow_the_documented_table(bench: Bench) -> None:
    """mturk-retrieving-hit-status: five places, four taken, one returned."""
    hit = bench.hit(MaxAssignments=3)["HITId"]
    workers = [bench.worker(name) for name in ("ann", "ben", "cyd", "dan")]
    held = [bench.work.accept(name, hit_id=hit).assignment_id for name in workers[:3]]
    assert bench.status(hit) == ("Unassignable", 0, 3, 0)
    bench.work.return_(workers[0], held[0])
    assert bench.status(hit) == ("Assignable", 1, 2, 0)
    bench.work.submit(held[1], [("q", "1")])
    bench.work.submit(held[2], [("q", "1")])
    assert bench.status(hit) == ("Assignable", 1, 0, 0)
    last = bench.done(hit, workers[3])
    assert bench.status(hit) == ("Reviewable", 0, 0, 0)
    bench.client.approve_assignment(AssignmentId=last)
    assert bench.status(hit) == ("Reviewable", 0, 0, 1)


def test_expired_hit_waits_for_work_in_hand(bench: Bench) -> None:
    hit = bench.hit(LifetimeInSeconds=300)["HITId"]
    held = bench.work.accept(bench.worker(), hit_id=hit)
    bench.clock.forward(minutes=6)
    assert bench.status(hit) == ("Unassignable", 0, 1, 0)
    with fails("InvalidHITState", "This operation can be called with a status of: Reviewing, Reviewable"):
        bench.client.delete_hit(HITId=hit)
    bench.work.submit(held.assignment_id, [("q", "1")])
    assert bench.status(hit)[0] == "Reviewable"


def test_update_expiration_ends_shortens_and_reopens(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    assert bench.status(hit)[0] == "Reviewable"
    assert bench.client.get_hit(HITId=hit)["HIT"]["Expiration"] == bench.clock.now
    later = bench.clock.now.replace(hour=9)
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=later)
    assert bench.status(hit)[0] == "Assignable"
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=bench.clock.now.replace(minute=30))
    bench.clock.forward(minutes=31)
    assert bench.status(hit)[0] == "Reviewable"


def test_additional_assignments_reopen_but_never_cross_ten(bench: Bench) -> None:
    hit = bench.hit(MaxAssignments=1)["HITId"]
    bench.done(hit, bench.worker())
    assert bench.status(hit)[0] == "Reviewable"
    more: dict[str, Any] = {"HITId": hit, "UniqueRequestToken": "extend-1"}
    bench.client.create_additional_assignments_for_hit(**more, NumberOfAdditionalAssignments=8)
    assert bench.status(hit) == ("Assignable", 8, 0, 0)
    with fails("DuplicateRequest", 'The idempotency token "extend-1" has already been processed.') as refused:
        bench.client.create_additional_assignments_for_hit(**more, NumberOfAdditionalAssignments=8)
    assert "request ID" in refused["Message"]
    with fails("InvalidMaximumAssignmentsIncrease"):
        bench.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=1)
    with fails("ParameterOutOfRange"):
        bench.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=0)
    bench.clock.forward(days=366)
    with fails("InvalidHITState", "Disposed"):
        bench.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=1)


def test_review_status_goes_to_reviewing_and_back(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    with fails("InvalidHITState", "currently in the state 'Assignable'"):
        bench.client.update_hit_review_status(HITId=hit)
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    bench.client.update_hit_review_status(HITId=hit)
    assert bench.client.list_reviewable_hits()["NumResults"] == 0
    assert [row["HITId"] for row in bench.client.list_reviewable_hits(Status="Reviewing")["HITs"]] == [hit]
    with fails("InvalidHITState"):
        bench.client.update_hit_review_status(HITId=hit, Revert=False)
    bench.client.update_hit_review_status(HITId=hit, Revert=True)
    assert bench.status(hit)[0] == "Reviewable"


def test_delete_needs_decided_work_and_leaves_a_trace(bench: Bench) -> None:
    hit = bench.hit(MaxAssignments=1)["HITId"]
    done = bench.done(hit, bench.worker())
    with fails("InvalidHITState", "currently in the state 'Reviewable'.  This operation can be called"):
        bench.client.delete_hit(HITId=hit)
    bench.client.reject_assignment(AssignmentId=done, RequesterFeedback="empty")
    bench.client.delete_hit(HITId=hit)
    assert bench.status(hit)[0] == "Disposed"
    assert bench.client.list_hits()["HITs"] == []
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    with fails("InvalidHITState", "currently in the state 'Disposed'"):
        bench.client.delete_hit(HITId=hit)
    with fails("InvalidHITState"):
        bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=bench.clock.now.replace(hour=23))
    with fails("InvalidHITState"):
        bench.client.approve_assignment(AssignmentId=done, OverrideRejection=True)


def test_hits_are_disposed_of_after_120_days(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    bench.clock.forward(days=119)
    assert bench.status(hit)[0] == "Reviewable"
    bench.clock.forward(days=2)
    assert bench.status(hit)[0] == "Disposed"


def test_type_of_an_untouched_hit_can_change(bench: Bench) -> None:
    hit = bench.hit()["HITId"]
    other = bench.client.create_hit_type(**{**TYPE, "Title": "Other", "Reward": "0.5"})["HITTypeId"]
    bench.client.update_hit_type_of_hit(HITId=hit, HITTypeId=other)
    moved = bench.client.get_hit(HITId=hit)["HIT"]
    assert (moved["HITTypeId"], moved["Reward"], moved["Title"]) == (other, "0.50", "Other")
    worker = bench.worker()
    bench.work.return_(worker, bench.work.accept(worker, hit_id=hit).assignment_id)
    with fails("InvalidHITState"):
        bench.client.update_hit_type_of_hit(HITId=hit, HITTypeId=other)


def test_lists_by_pages_type_and_owner(bench: Bench) -> None:
    made = [bench.hit(RequesterAnnotation=str(number))["HITId"] for number in range(25)]
    bench.hit(bench.requester("Bob"))
    pages = list(bench.client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 10}))
    assert [page["NumResults"] for page in pages] == [10, 10, 5, 0]
    assert [hit["HITId"] for page in pages for hit in page["HITs"]] == made[::-1]
    for name in made[:3]:
        bench.client.update_expiration_for_hit(HITId=name, ExpireAt=0)
    kind = bench.client.get_hit(HITId=made[0])["HIT"]["HITTypeId"]
    assert bench.client.list_reviewable_hits(HITTypeId=kind)["NumResults"] == 3
    assert bench.client.list_reviewable_hits(HITTypeId="3UNKNOWN")["NumResults"] == 0


def test_every_page_that_holds_something_has_a_token(bench: Bench) -> None:
    made = [bench.hit()["HITId"] for _ in range(3)]
    found, page = [], bench.client.list_hits(MaxResults=2)
    while page["HITs"]:  # as Mephisto and oTree walk: the token is taken unasked, and an empty page ends it
        found += [hit["HITId"] for hit in page["HITs"]]
        page = bench.client.list_hits(MaxResults=2, NextToken=page["NextToken"])
    assert found == made[::-1] and "NextToken" not in page
    one = bench.client.list_hits(MaxResults=3)
    while "NextToken" in one:  # the other habit
        one = bench.client.list_hits(MaxResults=3, NextToken=one["NextToken"])
    assert one["NumResults"] == 0


def test_pages_neither_skip_nor_repeat_while_hits_come(bench: Bench) -> None:
    made = [bench.hit()["HITId"] for _ in range(4)]
    first = bench.client.list_hits(MaxResults=2)
    bench.hit()
    second = bench.client.list_hits(MaxResults=2, NextToken=first["NextToken"])
    assert [hit["HITId"] for page in (first, second) for hit in page["HITs"]] == made[::-1]


def test_page_tokens_are_bound_to_their_list(bench: Bench) -> None:
    for _ in range(3):
        bench.hit()
    token = bench.client.list_hits(MaxResults=1)["NextToken"]
    for forged in (token[:-2] + "AA", "x", "A" * 255):
        with fails("InvalidParameterValue", "NextToken"):
            bench.client.list_hits(MaxResults=1, NextToken=forged)
    with fails("InvalidParameterValue", "NextToken"):
        bench.client.list_reviewable_hits(NextToken=token)
    with fails("InvalidParameterValue", "NextToken"):
        bench.requester("Bob").list_hits(NextToken=token)


def test_foreign_and_unknown_hits_do_not_exist(bench: Bench) -> None:
    hit = bench.hit(bench.requester("Bob"))["HITId"]
    for name in (hit, "3UNKNOWN"):
        with fails("HITDoesNotExist", f"Hit {name} does not exist. (1"):
            bench.client.get_hit(HITId=name)


@pytest.mark.parametrize(
    "question",
    [
        "<HTMLQuestion>",
        "no xml",
        html_question().replace("2011-11-11", "2011-11-12"),
        html_question("  "),
        html_question().replace("<FrameHeight>0", "<FrameHeight>-1"),
        external_question("https://example.org/?a=1&tx=2"),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + html_question(),
        "<QuestionForm/>",
    ],
)
def test_questions_that_the_schemas_refuse(bench: Bench, question: str) -> None:
    with fails("XMLParseError", "There was an error parsing the XML question or answer data in your request"):
        bench.hit(Question=question)


def test_question_limits(bench: Bench) -> None:
    room = 65_535 - len(html_question("").encode())
    bench.hit(Question=html_question("ä" * (room // 2)))
    with fails("InvalidParameterValue", "65535"):
        bench.hit(Question=html_question("ä" * (room // 2 + 1)))
    with fails("InvalidParameterValue", "Exactly one of Question and HITLayoutId"):
        bench.hit(Question=None)
    with fails("InvalidParameterValue", "https://"):
        bench.hit(Question=external_question("http://example.org/"))
    bench.hit(Question=external_question("http://localhost:5000/task?a=1&amp;b=2"))


def test_doubts_about_a_page_are_said_beside_the_answer(bench: Bench) -> None:
    parameters = {"Title": "t", "Description": "d", "Reward": "0.1", "LifetimeInSeconds": 60}
    for html, words in (("<p>no form é</p>", "The page has no form"), ("<form><input name=a></form>", None)):
        made = bench.client.create_hit(**parameters, AssignmentDurationInSeconds=60, Question=html_question(html))
        said = made["ResponseMetadata"]["HTTPHeaders"].get("x-galloway-note")
        assert (said is None) if words is None else (said or "").startswith(words)


def test_layouts_are_filled_with_values_as_they_are(bench: Bench) -> None:
    layout = bench.market.operator.add_layout("Ada", "grid", "<p>${name}</p>]]>")
    values = [{"Name": "name", "Value": "<b>&"}]
    hit = bench.hit(Question=None, HITLayoutId=layout, HITLayoutParameters=values)
    assert "<p><b>&</p>" in parse_question(hit["Question"]).html and hit["HITLayoutId"] == layout
    with fails("InvalidParameterValue", "name"):
        bench.hit(Question=None, HITLayoutId=layout)
    with fails("InvalidParameterValue", "other"):
        extra = [*values, {"Name": "other", "Value": "1"}]
        bench.hit(Question=None, HITLayoutId=layout, HITLayoutParameters=extra)
    with fails("HITLayoutDoesNotExist"):
        bench.hit(bench.requester("Bob"), Question=None, HITLayoutId=layout, HITLayoutParameters=values)


def test_new_hits_may_stay_hidden_for_a_moment(start: Any) -> None:
    """The switch that imitates MTurk's eventual consistency: only expiry is sure to work at once."""
    bench = start(visible_after_seconds=5)
    hit = bench.hit()["HITId"]
    with fails("HITDoesNotExist"):
        bench.client.get_hit(HITId=hit)
    assert bench.client.list_hits()["HITs"] == []
    bench.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    bench.clock.forward(seconds=6)
    assert bench.status(hit)[0] == "Reviewable"


def test_the_same_token_names_the_first_hit(bench: Bench) -> None:
    from tests.support.marketplace import hit_id_in

    first = bench.hit(UniqueRequestToken="batch-7-0001")["HITId"]
    bench.clock.forward(days=400)
    with fails("HitAlreadyExists", "already exists") as refused:
        bench.hit(UniqueRequestToken="batch-7-0001", Title="changed")
    assert hit_id_in(refused["Message"]) == first
    kind = bench.client.create_hit_type(**TYPE)["HITTypeId"]
    parameters = {"HITTypeId": kind, "LifetimeInSeconds": 60, "Question": html_question()}
    again = bench.client.create_hit_with_hit_type(**parameters, UniqueRequestToken="batch-7-0001")["HIT"]["HITId"]
    assert again != first, "tokens are remembered for each operation"
    with fails("HitAlreadyExists", again):
        bench.client.create_hit_with_hit_type(**parameters, UniqueRequestToken="batch-7-0001")
    bench.hit(bench.requester("Bob"), UniqueRequestToken="batch-7-0001")


def test_tokens_last_24_hours_where_asked_for(start: Any) -> None:
    bench = start(token_hours=24)
    bench.hit(UniqueRequestToken="t")
    bench.clock.forward(hours=23)
    with fails("HitAlreadyExists"):
        bench.hit(UniqueRequestToken="t")
    bench.clock.forward(hours=1)
    bench.hit(UniqueRequestToken="t")
    assert bench.client.list_hits()["NumResults"] == 2
