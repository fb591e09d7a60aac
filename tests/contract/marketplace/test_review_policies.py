"""Review policies through boto3, with the contract's worked examples."""

from __future__ import annotations

from typing import Any

from tests.support.marketplace import QUESTION_FORM, Bench, fails, html_question


def policy(name: str, **values: Any) -> dict[str, Any]:
    """A ReviewPolicy; a dict value becomes MapEntries."""
    parameters = []
    for key, value in values.items():
        if isinstance(value, dict):
            entries = [{"Key": question, "Values": [answer]} for question, answer in value.items()]
            parameters.append({"Key": key, "MapEntries": entries})
        else:
            given = value if isinstance(value, list) else [str(value)]
            parameters.append({"Key": key, "Values": given})
    return {"PolicyName": name, "Parameters": parameters}


def known(**values: Any) -> dict[str, Any]:
    return policy("ScoreMyKnownAnswers/2011-09-01", AnswerKey={"k1": "keep", "k2": "reject"}, **values)


def plurality(**values: Any) -> dict[str, Any]:
    return policy("SimplePlurality/2011-09-01", **{"QuestionAgreementThreshold": 50, **values})


def report(bench: Bench, hit_id: str, level: str = "HIT") -> tuple[dict[Any, str], list[tuple[str, str, str]]]:
    """({(key, subject or question): value}, [(action, target, status)])."""
    found = bench.client.list_review_policy_results_for_hit(HITId=hit_id, PolicyLevels=[level], MaxResults=100)
    results = {
        (item["Key"], item.get("QuestionId", item["SubjectId"])): item["Value"]
        for item in found[f"{level}ReviewReport"]["ReviewResults"]
    }
    actions = [
        (item["ActionName"], item["TargetId"], item["Status"])
        for item in found[f"{level}ReviewReport"]["ReviewActions"]
    ]
    return results, actions


def test_the_worked_example_of_simple_plurality(bench: Bench) -> None:
    """Three workers: A coat/sweater/coat, B blue/blue/green, C large, D all different → HIT 75, workers 100/66/66."""
    hit = bench.hit(HITReviewPolicy=plurality(QuestionIds=list("ABCD")), MaxAssignments=3)["HITId"]
    answers = (
        {"A": "coat", "B": "blue", "C": "large", "D": "1"},
        {"A": "sweater", "B": "blue", "C": "large", "D": "2"},
        {"A": "coat", "B": "green", "C": "large", "D": "3"},
    )
    done = [bench.done(hit, bench.worker(f"w{place}"), **given) for place, given in enumerate(answers)]
    results, actions = report(bench, hit)
    assert results[("HITAgreementScore", hit)] == "75"
    assert [results[("WorkerAgreementScore", name)] for name in done] == ["100", "66", "66"]
    assert (results[("AgreedAnswer", "A")], results[("QuestionAgreementScore", "A")]) == ("coat", "66")
    assert ("AgreedAnswer", "D") not in results and results[("QuestionAgreementScore", "D")] == "33"
    assert actions == []


def test_plurality_approves_rejects_and_tells_failures(bench: Bench) -> None:
    wanted = plurality(
        QuestionIDs=["q"],
        ApproveIfWorkerAgreementScoreIsAtLeast=100,
        RejectIfWorkerAgreementScoreIsLessThan=50,
        RejectReason="you disagree with the others",
    )
    hit = bench.hit(HITReviewPolicy=wanted, MaxAssignments=3)["HITId"]
    first, second = (bench.done(hit, bench.worker(name), q="yes") for name in ("ann", "ben"))
    bench.client.approve_assignment(AssignmentId=first)
    third = bench.done(hit, bench.worker("cyd"), q="no")
    states = {
        item["AssignmentId"]: item["AssignmentStatus"]
        for item in bench.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    }
    assert states == {first: "Approved", second: "Approved", third: "Rejected"}
    assert report(bench, hit)[1] == [
        ("approve", first, "Failed"),
        ("approve", second, "Succeeded"),
        ("reject", third, "Succeeded"),
    ]
    found = bench.client.list_review_policy_results_for_hit(HITId=hit)["HITReviewReport"]["ReviewActions"][0]
    assert found["ErrorCode"] == "AWS.MechanicalTurk.InvalidAssignmentState"
    rejected = bench.client.get_assignment(AssignmentId=third)["Assignment"]
    assert rejected["RequesterFeedback"] == "you disagree with the others"


def test_plurality_extends_until_there_is_agreement(bench: Bench) -> None:
    wanted = plurality(
        QuestionIds=["q"],
        ExtendIfHITAgreementScoreIsLessThan=100,
        ExtendMaximumAssignments=3,
        ExtendMinimumTimeInSeconds=7200,
        ApproveIfWorkerAgreementScoreIsAtLeast=1,
    )
    hit = bench.hit(HITReviewPolicy=wanted, MaxAssignments=2)["HITId"]
    bench.done(hit, bench.worker("ann"), q="yes")
    bench.done(hit, bench.worker("ben"), q="no")
    assert bench.status(hit) == ("Assignable", 1, 0, 0)
    reached = bench.client.get_hit(HITId=hit)["HIT"]
    assert (reached["MaxAssignments"], reached["Expiration"]) == (3, bench.clock.now.replace(hour=9))
    bench.done(hit, bench.worker("cyd"), q="yes")
    assert bench.status(hit) == ("Reviewable", 0, 0, 2)
    results, actions = report(bench, hit)
    assert results[("HITAgreementScore", hit)] == "100"
    assert [action for action, *_ in actions] == ["extend", "approve", "approve"]


def test_known_answers_score_approve_reject_and_extend(bench: Bench) -> None:
    wanted = known(
        ApproveIfKnownAnswerScoreIsAtLeast=100,
        ApproveReason="all right",
        RejectIfKnownAnswerScoreIsLessThan=50,
        RejectReason="wrong on faces we know",
        ExtendIfKnownAnswerScoreIsLessThan=50,
        ExtendMaximumAssignments=3,
    )
    hit = bench.hit(AssignmentReviewPolicy=wanted, MaxAssignments=2)["HITId"]
    right = bench.done(hit, bench.worker("ann"), k1=" keep ", k2="reject", q="1")
    half = bench.done(hit, bench.worker("ben"), k1="keep", k2="keep")
    assert bench.status(hit)[0] == "Reviewable"
    bench.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=1)
    wrong = bench.done(hit, bench.worker("cyd"), k1="Keep", k2="keep")
    results, actions = report(bench, hit, "Assignment")
    scores = [results[("KnownAnswerScore", name)] for name in (right, half, wrong)]
    assert scores == ["100", "50", "0"]
    assert actions == [("approve", right, "Succeeded"), ("reject", wrong, "Succeeded")]
    states = [item["AssignmentStatus"] for item in bench.client.list_assignments_for_hit(HITId=hit)["Assignments"]]
    assert states == ["Approved", "Submitted", "Rejected"]


def test_a_low_known_score_extends_the_hit(bench: Bench) -> None:
    wanted = known(ExtendIfKnownAnswerScoreIsLessThan=50, ExtendMaximumAssignments=2)
    hit = bench.hit(AssignmentReviewPolicy=wanted, MaxAssignments=1)["HITId"]
    bench.done(hit, bench.worker("ann"), k1="x", k2="x")
    assert bench.status(hit) == ("Assignable", 1, 0, 0)
    bench.done(hit, bench.worker("ben"), k1="x", k2="x")
    assert bench.status(hit)[0] == "Reviewable"


def test_plurality_disregards_who_failed_on_known_answers(bench: Bench) -> None:
    hit = bench.hit(
        AssignmentReviewPolicy=known(RejectIfKnownAnswerScoreIsLessThan=1),
        HITReviewPolicy=plurality(
            QuestionIds=["q"], DisregardAssignmentIfRejected="true", DisregardAssignmentIfKnownAnswerScoreIsLessThan=60
        ),
        MaxAssignments=3,
    )["HITId"]
    bench.done(hit, bench.worker("ann"), k1="keep", k2="reject", q="yes")
    bench.done(hit, bench.worker("ben"), k1="keep", k2="x", q="no")
    bench.done(hit, bench.worker("cyd"), k1="x", k2="x", q="no")
    results, _ = report(bench, hit)
    assert results[("AgreedAnswer", "q")] == "yes" and results[("QuestionAgreementScore", "q")] == "100"


def test_results_have_pages_and_switches(bench: Bench) -> None:
    hit = bench.hit(AssignmentReviewPolicy=known(ApproveIfKnownAnswerScoreIsAtLeast=0), MaxAssignments=9)["HITId"]
    for number in range(4):
        bench.done(hit, bench.worker(f"w{number}"), k1="keep")
    token: dict[str, str] = {}
    seen = 0
    while True:
        page = bench.client.list_review_policy_results_for_hit(HITId=hit, MaxResults=5, **token)
        seen += sum(len(items) for items in page["AssignmentReviewReport"].values())
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == 4 * (3 + 1)
    assert page["AssignmentReviewPolicy"]["PolicyName"] == "ScoreMyKnownAnswers/2011-09-01"
    bare = bench.client.list_review_policy_results_for_hit(HITId=hit, RetrieveActions=False, RetrieveResults=False)
    assert "HITReviewPolicy" not in bare and bare["AssignmentReviewReport"] == {}


def test_policies_that_are_refused(bench: Bench) -> None:
    for wrong in (
        policy("SimplePlurality/2011-09-01", QuestionIds=["q"]),
        policy("Other/2011-09-01"),
        plurality(QuestionIds=[str(number) for number in range(16)]),
        plurality(QuestionIds=["q"], QuestionAgreementThreshold="many"),
        plurality(QuestionIds=["q"], Unknown="1"),
        plurality(QuestionIds=["q"], ExtendIfHITAgreementScoreIsLessThan=0),
    ):
        with fails("InvalidParameterValue"):
            bench.hit(HITReviewPolicy=wrong)
    for wrong in (
        known(ApproveIfKnownAnswerScoreIsAtLeast=102),
        known(ExtendIfKnownAnswerScoreIsLessThan=5, ExtendMaximumAssignments=26),
        policy("ScoreMyKnownAnswers/2011-09-01"),
        policy("SimplePlurality/2011-09-01"),
    ):
        with fails("InvalidParameterValue"):
            bench.hit(AssignmentReviewPolicy=wrong)


def test_a_policy_about_a_question_that_is_not_there_is_refused_or_said(bench: Bench) -> None:
    """It would call every worker wrong. A page may send what its markup does not name: there it is only said."""
    with fails("InvalidParameterValue", "AssignmentReviewPolicy: the question has no 'k1'"):
        bench.hit(Question=QUESTION_FORM, AssignmentReviewPolicy=known())
    with fails("InvalidParameterValue", "HITReviewPolicy: the question has no 'size'"):
        bench.hit(Question=QUESTION_FORM, HITReviewPolicy=plurality(QuestionIds=["colour", "size"]))
    bench.hit(Question=QUESTION_FORM, HITReviewPolicy=plurality(QuestionIds=["colour"]))
    plain = "<form action='https://www.mturk.com/mturk/externalSubmit'><input name=k1><select name=k2></select></form>"
    crowd = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form>{}</crowd-form>'
    field = "<crowd-input name=k1></crowd-input>"
    for page, wrong in (
        (plain, False),
        (plain.replace("k2", "k3"), True),
        (plain.replace("k2", "k3") + "<script>later()</script>", False),
        (crowd.format(field), True),
    ):
        made = bench.client.create_hit(
            Title="t",
            Description="d",
            Reward="0.15",
            LifetimeInSeconds=3600,
            AssignmentDurationInSeconds=600,
            Question=html_question(page),
            AssignmentReviewPolicy=known(),
        )
        said = made["ResponseMetadata"]["HTTPHeaders"].get("x-galloway-note", "")
        assert ("the question has no" in said) is wrong, page
