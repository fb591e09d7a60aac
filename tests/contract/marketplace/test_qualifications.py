"""Qualification types, requests, tests, and requirements on HITs."""

from __future__ import annotations

from typing import Any

import pytest
from galloway.mturk.marketplace import errors
from galloway.mturk.marketplace.rules.qualifications import ADULT, APPROVED, LOCALE, MASTERS, PERCENT_APPROVED

from tests.support.marketplace import QUESTION_FORM, SCHEMAS, Bench, fails, html_question

KEY = (
    f'<AnswerKey xmlns="{SCHEMAS}/2005-10-01/AnswerKey.xsd"><Question><QuestionIdentifier>colour</QuestionIdentifier>'
    "<AnswerOption><SelectionIdentifier>red</SelectionIdentifier><SelectionIdentifier>blue</SelectionIdentifier>"
    "<AnswerScore>10</AnswerScore></AnswerOption><AnswerOption><SelectionIdentifier>red</SelectionIdentifier>"
    "<AnswerScore>5</AnswerScore></AnswerOption></Question><QualificationValueMapping><PercentageMapping>"
    "<MaximumSummedScore>10</MaximumSummedScore></PercentageMapping></QualificationValueMapping></AnswerKey>"
)


def make(bench: Bench, name: str = "Face matching", **more: Any) -> str:
    """The id of a new qualification type."""
    parameters = {"Name": name, "Description": "Match faces.", "QualificationTypeStatus": "Active", **more}
    made: str = bench.client.create_qualification_type(**parameters)["QualificationType"]["QualificationTypeId"]
    return made


def requires(type_id: str, comparator: str, **more: Any) -> list[dict[str, Any]]:
    return [{"QualificationTypeId": type_id, "Comparator": comparator, **more}]


def test_types_are_made_found_and_unique_by_name(bench: Bench) -> None:
    type_id = make(bench, Keywords="faces, portraits", RetryDelayInSeconds=60)
    kind = bench.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"]
    assert (kind["Name"], kind["RetryDelayInSeconds"], kind["IsRequestable"]) == ("Face matching", 60, True)
    with fails("QualificationTypeAlreadyExists", "already created a QualificationType with this name"):
        make(bench)
    found = bench.client.list_qualification_types(Query="PORTRAITS match", MustBeRequestable=True)
    assert [item["QualificationTypeId"] for item in found["QualificationTypes"]] == [type_id]
    bob = bench.requester("Bob")
    assert bob.list_qualification_types(MustBeRequestable=True)["NumResults"] == 1
    assert bob.list_qualification_types(MustBeRequestable=True, MustBeOwnedByCaller=True)["NumResults"] == 0
    assert bob.list_qualification_types(MustBeRequestable=False, Query="100%_")["NumResults"] == 0
    make(bench, "Second", QualificationTypeStatus="Inactive")
    pages = bench.client.get_paginator("list_qualification_types").paginate(
        MustBeRequestable=False, PaginationConfig={"PageSize": 1}
    )
    assert [page["NumResults"] for page in pages] == [1, 1, 0]


@pytest.mark.parametrize("type_id", [LOCALE, ADULT, APPROVED, PERCENT_APPROVED, *MASTERS])
def test_system_types_can_be_read(bench: Bench, type_id: str) -> None:
    kind = bench.client.get_qualification_type(QualificationTypeId=type_id)["QualificationType"]
    assert (kind["QualificationTypeId"], kind["IsRequestable"]) == (type_id, False)


def test_types_that_contradict_themselves_are_refused(bench: Bench) -> None:
    tested = {"Test": QUESTION_FORM, "TestDurationInSeconds": 600}
    for wrong in (
        {"Test": QUESTION_FORM},
        {"AnswerKey": KEY},
        {"AutoGrantedValue": 5},
        {**tested, "AutoGranted": True},
    ):
        with fails("InvalidParameterValue"):
            make(bench, **wrong)
    for text in (html_question(), "<x>"):
        with fails("XMLParseError"):
            make(bench, Test=text, TestDurationInSeconds=60)
    with fails("XMLParseError"):
        make(bench, **tested, AnswerKey=QUESTION_FORM)
    type_id = make(bench, **tested, AnswerKey=KEY)
    for wrong in ({"AutoGranted": True}, {"Test": QUESTION_FORM}):
        with fails("InvalidParameterValue"):
            bench.client.update_qualification_type(QualificationTypeId=type_id, **wrong)
    changed = bench.client.update_qualification_type(
        QualificationTypeId=type_id, Description="New", RetryDelayInSeconds=5, QualificationTypeStatus="Inactive"
    )["QualificationType"]
    assert (changed["Description"], changed["RetryDelayInSeconds"], changed["IsRequestable"]) == ("New", 5, False)
    assert "AnswerKey" in changed
    other = bench.requester("Bob").get_qualification_type(QualificationTypeId=type_id)["QualificationType"]
    assert "AnswerKey" not in other, "the key is for its owner only"


def test_a_key_for_what_the_test_does_not_ask_is_refused(bench: Bench) -> None:
    tested = {"Test": QUESTION_FORM, "TestDurationInSeconds": 600}
    for right, wrong in (("colour", "shade"), ("blue", "mauve")):
        with fails("XMLParseError", f"'{wrong}'"):
            make(bench, **tested, AnswerKey=KEY.replace(f">{right}<", f">{wrong}<"))
    type_id = make(bench, **tested, AnswerKey=KEY)
    with fails("XMLParseError", "no question 'shade'"):
        bench.client.update_qualification_type(
            QualificationTypeId=type_id, AnswerKey=KEY.replace(">colour<", ">shade<")
        )


def test_grants_overwrite_and_can_be_revoked(bench: Bench) -> None:
    type_id, worker = make(bench), bench.worker()
    who = {"QualificationTypeId": type_id, "WorkerId": worker}
    with fails("QualificationDoesNotExist", "does not exist"):
        bench.client.get_qualification_score(**who)
    bench.client.associate_qualification_with_worker(**who, IntegerValue=70)
    bench.client.associate_qualification_with_worker(**who, IntegerValue=90, SendNotification=False)
    assert len(bench.work.messages(worker)) == 1
    assert bench.client.get_qualification_score(**who)["Qualification"]["IntegerValue"] == 90
    assert bench.client.list_workers_with_qualification_type(QualificationTypeId=type_id)["NumResults"] == 1
    bench.client.disassociate_qualification_from_worker(**who, Reason="too old")
    with fails("InvalidQualificationState", "status of: Granted"):
        bench.client.get_qualification_score(**who)
    with fails("InvalidQualificationState"):
        bench.client.disassociate_qualification_from_worker(**who)
    pages = bench.client.get_paginator("list_workers_with_qualification_type").paginate(
        QualificationTypeId=type_id, Status="Revoked"
    )
    assert [item["WorkerId"] for page in pages for item in page["Qualifications"]] == [worker]
    entry = bench.work.qualification(worker, type_id)
    assert (entry.status, entry.reason) == ("Revoked", "too old")
    with fails("WorkerDoesNotExist"):
        bench.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId="A0UNKNOWN")
    with fails("QualificationTypeDoesNotExist"):
        bench.requester("Bob").associate_qualification_with_worker(**who)


def test_requests_wait_for_the_requester(bench: Bench) -> None:
    type_id = make(bench)
    workers = [bench.worker(name) for name in ("ann", "ben")]
    for worker in workers:
        assert bench.work.request_qualification(worker, type_id).status == "Pending"
    with pytest.raises(errors.BadForm):
        bench.work.request_qualification(workers[0], type_id)
    pages = bench.client.get_paginator("list_qualification_requests").paginate(PaginationConfig={"PageSize": 1})
    first, second = (item for page in pages for item in page["QualificationRequests"])
    assert [first["WorkerId"], second["WorkerId"]] == workers
    bench.client.accept_qualification_request(QualificationRequestId=first["QualificationRequestId"], IntegerValue=55)
    bench.client.reject_qualification_request(QualificationRequestId=second["QualificationRequestId"], Reason="not now")
    assert bench.client.list_qualification_requests(QualificationTypeId=type_id)["NumResults"] == 0
    with fails("InvalidQualificationRequestState"):
        bench.client.accept_qualification_request(QualificationRequestId=first["QualificationRequestId"])
    with fails("QualificationRequestDoesNotExist"):
        bench.client.reject_qualification_request(QualificationRequestId="3NOBODY")
    assert bench.work.qualification(workers[0], type_id).value == 55
    rejected = bench.work.qualification(workers[1], type_id)
    assert (rejected.status, rejected.reason, rejected.can_request) == ("Rejected", "not now", False)


def test_auto_granted_types_are_granted_at_once(bench: Bench) -> None:
    type_id, worker = make(bench, AutoGranted=True, AutoGrantedValue=7), bench.worker()
    assert bench.work.request_qualification(worker, type_id).value == 7
    assert [entry.name for entry in bench.work.qualifications(worker)] == ["Face matching"]


def test_tests_are_scored_by_their_key_and_can_be_retaken(bench: Bench) -> None:
    tested = {"Test": QUESTION_FORM, "TestDurationInSeconds": 600, "AnswerKey": KEY, "RetryDelayInSeconds": 3600}
    type_id, worker = make(bench, **tested), bench.worker()
    with pytest.raises(errors.BadForm, match="has a test"):
        bench.work.request_qualification(worker, type_id)
    paper = bench.work.begin_test(worker, type_id)
    assert bench.work.begin_test(worker, type_id).request_id == paper.request_id
    with pytest.raises(errors.BadForm, match="colour"):
        bench.work.submit_test(worker, paper.request_id, [])
    assert bench.work.submit_test(worker, paper.request_id, [("colour", "red")]).value == 50
    with pytest.raises(errors.BadForm, match="again in 60 minutes"):
        bench.work.begin_test(worker, type_id)
    bench.clock.forward(hours=1)
    paper = bench.work.begin_test(worker, type_id)
    assert bench.work.submit_test(worker, paper.request_id, [("colour", "blue"), ("colour", "red")]).value == 100
    with pytest.raises(errors.NotFound):
        bench.work.submit_test(bench.worker("ben"), paper.request_id, [("colour", "red")])


def test_tests_end_in_time_and_without_key_wait(bench: Bench) -> None:
    tested = {"Test": QUESTION_FORM, "TestDurationInSeconds": 600, "RetryDelayInSeconds": 0}
    type_id, worker = make(bench, **tested), bench.worker()
    paper = bench.work.begin_test(worker, type_id)
    bench.clock.forward(seconds=600)
    with pytest.raises(errors.TooLate):
        bench.work.submit_test(worker, paper.request_id, [("colour", "red")])
    paper = bench.work.begin_test(worker, type_id)
    assert bench.work.submit_test(worker, paper.request_id, [("colour", "red")]).status == "Pending"
    (request,) = bench.client.list_qualification_requests()["QualificationRequests"]
    assert request["Test"] == QUESTION_FORM and "<SelectionIdentifier>red<" in request["Answer"]


def test_deleting_a_type_closes_what_hangs_on_it(bench: Bench) -> None:
    type_id, asking, holding = make(bench), bench.worker("ann"), bench.worker("ben")
    bench.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId=holding)
    bench.work.request_qualification(asking, type_id)
    hit = bench.hit(QualificationRequirements=requires(type_id, "Exists"))["HITId"]
    listed = bench.client.list_hits_for_qualification_type(QualificationTypeId=type_id)
    assert [item["HITId"] for item in listed["HITs"]] == [hit]
    bench.client.delete_qualification_type(QualificationTypeId=type_id)
    assert bench.client.list_qualification_requests()["NumResults"] == 0
    for call in (bench.client.get_qualification_type, bench.client.delete_qualification_type):
        with fails("QualificationTypeDoesNotExist"):
            call(QualificationTypeId=type_id)
    with pytest.raises(errors.NotEligible):
        bench.work.accept(holding, hit_id=hit)
    with fails("QualificationTypeDoesNotExist"):
        bench.hit(Title="new", QualificationRequirements=requires(type_id, "Exists"))
    make(bench)
    assert bench.client.list_hits_for_qualification_type(QualificationTypeId=LOCALE)["NumResults"] == 0
    with fails("QualificationTypeDoesNotExist"):
        bench.client.list_hits_for_qualification_type(QualificationTypeId="3NOBODY")


@pytest.mark.parametrize("comparator", ["Exists", "DoesNotExist"])
def test_a_hit_type_that_asks_for_a_deleted_type_is_of_no_use(bench: Bench, comparator: str) -> None:
    type_id, holding, other = make(bench), bench.worker("ann"), bench.worker("ben")
    bench.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId=holding)
    wanted = {"QualificationRequirements": requires(type_id, comparator)}
    made, plain = bench.hit(**wanted), bench.hit(Title="asks for nothing")
    kind = {name: made[name] for name in ("Title", "Description", "Keywords", "Reward", "AssignmentDurationInSeconds")}
    bench.client.delete_qualification_type(QualificationTypeId=type_id)
    for worker in (holding, other):
        with pytest.raises(errors.NotEligible) as refused:
            bench.work.accept(worker, hit_id=made["HITId"])
        (unmet,) = refused.value.unmet
        assert (unmet.requirement, unmet.have) == ("there still (its requester has removed it)", "")
        groups = bench.work.groups(worker, qualified_only=True).groups
        assert [group.title for group in groups] == ["asks for nothing"]
    for call in (
        lambda: bench.hit(**wanted),
        lambda: bench.client.create_hit_type(**kind, **wanted),
        lambda: bench.client.create_hit_with_hit_type(
            HITTypeId=made["HITTypeId"], LifetimeInSeconds=60, Question=html_question()
        ),
        lambda: bench.client.update_hit_type_of_hit(HITId=plain["HITId"], HITTypeId=made["HITTypeId"]),
    ):
        with fails("QualificationTypeDoesNotExist", type_id):
            call()


def test_names_of_every_alphabet_are_found(bench: Bench) -> None:
    for name in ("Évaluation", "Пилот Ä"):
        make(bench, name)
    for query in ("Évaluation", "ÉVALUATION", "évalu"):
        found = bench.client.list_qualification_types(Query=query, MustBeRequestable=True)["QualificationTypes"]
        assert [item["Name"] for item in found] == ["Évaluation"], query
    assert bench.client.list_qualification_types(Query="ПИЛОТ ä", MustBeRequestable=True)["NumResults"] == 1


def test_requirements_guard_accepting_previewing_and_finding(bench: Bench) -> None:
    type_id, worker = make(bench), bench.worker()
    wanted = {"IntegerValues": [80]}
    guarded = {
        actions: bench.hit(
            Title=actions,
            QualificationRequirements=requires(type_id, "GreaterThanOrEqualTo", **wanted, ActionsGuarded=actions),
        )
        for actions in ("Accept", "PreviewAndAccept", "DiscoverPreviewAndAccept")
    }
    groups = {group.title: group for group in bench.work.groups(worker).groups}
    assert {title: group.can_preview for title, group in groups.items()} == {"Accept": True, "PreviewAndAccept": False}
    (unmet,) = groups["Accept"].unmet
    assert (unmet.name, unmet.requirement, unmet.have, unmet.can_request) == ("Face matching", "at least 80", "", True)
    assert bench.work.groups(worker, qualified_only=True).groups == ()
    for hit in guarded.values():
        with pytest.raises(errors.NotEligible) as refused:
            bench.work.accept(worker, hit_id=hit["HITId"])
        assert refused.value.unmet == (unmet,), "the page of the refusal says what is lacking, and links to it"
    bench.work.preview(worker, hit_id=guarded["Accept"]["HITId"])
    with pytest.raises(errors.NotEligible) as refused:
        bench.work.preview(worker, hit_id=guarded["PreviewAndAccept"]["HITId"])
    assert refused.value.unmet == (unmet,)
    bench.client.associate_qualification_with_worker(QualificationTypeId=type_id, WorkerId=worker, IntegerValue=80)
    assert bench.work.groups(worker, qualified_only=True).total == 3
    for hit in guarded.values():
        bench.work.accept(worker, hit_id=hit["HITId"])


def test_requirements_are_echoed_with_defaults(bench: Bench) -> None:
    hit = bench.hit(QualificationRequirements=requires(PERCENT_APPROVED, "GreaterThan", IntegerValues=[95]))
    assert hit["QualificationRequirements"][0]["ActionsGuarded"] == "Accept"
    assert hit["QualificationRequirements"][0]["RequiredToPreview"] is False
    bench.work.accept(bench.worker(), hit_id=hit["HITId"])


def test_locale_requirements(bench: Bench) -> None:
    places = [{"Country": "US", "Subdivision": "PA"}]
    hit = bench.hit(QualificationRequirements=requires(LOCALE, "EqualTo", LocaleValues=places))["HITId"]
    bench.work.accept(bench.worker("pa", country="US", subdivision="PA"), hit_id=hit)
    with pytest.raises(errors.NotEligible):
        bench.work.accept(bench.worker("ny", country="US", subdivision="NY"), hit_id=hit)
    outside = bench.hit(QualificationRequirements=requires(LOCALE, "NotEqualTo", LocaleValues=places))["HITId"]
    for name, country in (("in", "IN"), ("us", "US")):
        bench.work.accept(bench.worker(name, country=country), hit_id=outside)


@pytest.mark.parametrize(("code", "hint"), [("UK", "GB"), ("us", "US"), ("XX", "nobody could match")])
def test_a_country_that_nobody_can_match_is_refused(bench: Bench, code: str, hint: str) -> None:
    with fails("InvalidParameterValue", hint):
        bench.hit(QualificationRequirements=requires(LOCALE, "In", LocaleValues=[{"Country": "DE"}, {"Country": code}]))


def test_masters_are_marked_by_the_operator(bench: Bench) -> None:
    worker = bench.worker()
    hits = [bench.hit(Title=name, QualificationRequirements=requires(name, "Exists"))["HITId"] for name in MASTERS[:2]]
    with pytest.raises(errors.NotEligible):
        bench.work.accept(worker, hit_id=hits[0])
    bench.market.operator.mark_worker(worker, masters=True)
    for hit in hits:
        bench.work.accept(worker, hit_id=hit)


@pytest.mark.parametrize(
    "requirement",
    [
        {"Comparator": "Exists", "IntegerValues": [1]},
        {"Comparator": "EqualTo"},
        {"Comparator": "EqualTo", "IntegerValues": [1, 2]},
        {"Comparator": "In", "IntegerValues": list(range(16))},
        {"Comparator": "LessThan", "LocaleValues": [{"Country": "US"}]},
        {"Comparator": "In", "LocaleValues": [{"Country": "US"}]},
        {"Comparator": "Exists", "RequiredToPreview": True, "ActionsGuarded": "Accept"},
    ],
)
def test_requirements_that_make_no_sense(bench: Bench, requirement: dict[str, Any]) -> None:
    words = "invalid: ActionsGuarded, RequiredToPreview." if "ActionsGuarded" in requirement else "Comparator"
    with fails("InvalidParameterValue", words):
        bench.hit(QualificationRequirements=[{"QualificationTypeId": APPROVED, **requirement}])


def test_ten_requirements_at_most(bench: Bench) -> None:
    eleven = [item for number in range(11) for item in requires(make(bench, f"t{number}"), "Exists")]
    with fails("InvalidParameterValue", "at most 10"):
        bench.hit(QualificationRequirements=eleven)
    bench.hit(QualificationRequirements=eleven[:10])
