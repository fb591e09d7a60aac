"""The report's numbers, links and forms."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from galloway.curation.report import Costs, Report, ReportInput, build
from galloway.curation.report.figures import cost_figures
from galloway.curation.report.signals import Told
from galloway.curation.types import FaceId, Question, Vote, VoterKind, WorkerId

from tests.support.votes import face_crowd, majority_decisions, vote

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
JPEG = b"\xff\xd8\xff\xe0 not a real picture"


def small_votes() -> list[Vote]:
    return [
        vote("f1", "ann", "keep"),
        vote("f1", "bob", "keep"),
        vote("f2", "ann", "keep", minutes=1),
        vote("f2", "bob", "reject", minutes=1, reason="blurred"),
        vote("f3", "ann", "reject", minutes=2, reason="covered"),
        vote("f3", "bob", "reject", minutes=2, reason="covered"),
        vote("f3", "cy", "keep"),
    ]


def report(votes: list[Vote], **fields: object) -> Report:
    values: dict[str, object] = {
        "title": "Usable faces",
        "questions": {Question.USABLE: (votes, majority_decisions(votes))},
        "generated_at": NOON,
        "thumbnails": lambda _face: JPEG,
    }
    return build(ReportInput(**(values | fields)))  # type: ignore[arg-type]


class Links(HTMLParser):
    """Every id and every link inside the page; a duplicate id is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.tags: set[str] = set()
        self.outside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                assert value not in self.ids, f"id {value} twice"
                self.ids.add(value or "")
            if name in ("href", "src"):
                if (value or "").startswith("#"):
                    self.targets.add((value or "")[1:])
                else:
                    self.outside.append(value or "")


@pytest.fixture(scope="module")
def crowd_report() -> Report:
    votes, truth = face_crowd(faces=800, workers=24, per_face=5, seed=3)
    gold = [vote(face, "gold", label, kind=VoterKind.GOLD) for face, label in list(truth.items())[::6]]
    earlier = majority_decisions([one for place, one in enumerate(votes) if place % 4])
    question = {Question.USABLE: (votes + gold, majority_decisions(votes))}
    return report(votes, questions=question, previous={Question.USABLE: earlier})


def flags_of(built: Report, worker: str) -> dict[str, str]:
    found = next(one for one in built.questions[0].workers if one.name == worker)
    return {flag.kind: flag.evidence for flag in found.flags}


def test_statuses_and_labels_are_counted() -> None:
    figures = report(small_votes()).figures()["questions"][0]
    assert figures["status"] == {"decided": 2, "disputed": 1, "undecided": 0}
    assert figures["labels"] == {"keep": 1, "reject": 1}
    assert (figures["faces"], figures["votes"]) == (3, 7)


def test_a_worker_is_compared_with_the_others_and_not_with_a_decision_that_rests_on_the_own_vote() -> None:
    workers = {one["worker"]: one for one in report(small_votes()).figures()["questions"][0]["workers"]}
    assert (workers["ann"]["agrees_with_others"]["hits"], workers["ann"]["agrees_with_others"]["of"]) == (1, 2)
    assert (workers["cy"]["agrees_with_others"]["hits"], workers["cy"]["agrees_with_others"]["of"]) == (0, 1)


def test_a_report_begins_with_what_to_do(crowd_report: Report) -> None:
    text = report(small_votes()).to_text().splitlines()
    assert text[2] == "What to do:"
    assert text[3].endswith("decide 1 face yourself on which the votes do not agree, or ask once more.")
    assert any("nothing shows yet how many answers are wrong" in line for line in text[3:6])
    page = crowd_report.to_html()
    assert page.index("<h2>What to do</h2>") < page.index('<div class="tiles">')
    assert "with a known answer: nothing shows" not in page, "known answers were mixed in"
    assert re.search(r'<li><a href="#question-0">usable: decide 1 face', report(small_votes()).to_html())
    assert "Ask people first" in report([]).to_text()


def test_costs_are_decimal_and_per_decided_face() -> None:
    built = report(small_votes(), costs=Costs(Decimal("0.70"), Decimal("0.14")))
    assert built.costs is not None
    assert (built.costs.per_vote, built.costs.per_decided) == (Decimal("0.1200"), Decimal("0.4200"))
    assert "Spent 0.84 USD: 0.12 USD a vote, 0.42 USD a decided face." in built.to_text()
    assert cost_figures(None, built.questions) is None


def test_money_is_written_as_people_write_it() -> None:
    built = report(small_votes(), costs=Costs(Decimal("1300.70"), Decimal(0), currency="$"))
    assert "Spent $1,300.70: $185.8143 a vote, $650.35 a decided face." in built.to_text()
    assert "<b>$1,300.70</b>" in built.to_html()
    assert Costs(Decimal("0.70"), Decimal("0.14")).written(None) == "–"


def test_simulated_workers_are_said_first_everywhere() -> None:
    built = report(small_votes(), simulated=frozenset({WorkerId("bob")}))
    sentence = "1 of 3 workers are programs, not people"
    assert sentence in built.to_text().splitlines()[2]
    html = built.to_html()
    assert html.index(sentence) < html.index("<table")
    assert built.figures()["simulated_workers"] == ["bob"]
    assert "SIMULATED" not in report(small_votes()).to_text()


def test_every_link_has_its_target_and_nothing_is_fetched(crowd_report: Report) -> None:
    links = Links(crowd_report.to_html())
    assert links.targets <= links.ids
    assert links.outside == []
    assert "script" not in links.tags


def test_a_number_opens_exactly_the_faces_behind_it() -> None:
    html = report(small_votes()).to_html()
    anchor = re.search(r'disputed <a href="#(list-\d+)">1</a>', html)
    assert anchor is not None
    drawer = html.split(f'id="{anchor[1]}"')[1].split("</section>")[0]
    assert re.findall(r'title="(\w+)"', drawer) == ["f2"]


def test_names_from_outside_are_escaped() -> None:
    html = report([vote("f<b>", "<script>x", "keep"), vote("f<b>", "bob", "keep")], title="<i>t</i>").to_html()
    assert "<script>" not in html
    assert '<b>"' not in html
    assert "&lt;i&gt;t" in html


def test_each_picture_is_in_the_file_once(crowd_report: Report) -> None:
    assert crowd_report.to_html().count("data:image/jpeg") == 800


def test_the_clicker_the_guesser_the_tired_the_fast_and_the_copies_are_flagged_with_evidence(
    crowd_report: Report,
) -> None:
    assert "times in a row, while the others say otherwise" in flags_of(crowd_report, "worker-00")["straight line"]
    assert "answering blindly" in flags_of(crowd_report, "worker-01")["guessing"]
    assert "worker-03" in flags_of(crowd_report, "worker-02")["copy-like"]
    assert "fell from" in flags_of(crowd_report, "worker-04")["tiring"]
    assert "crowd's median" in flags_of(crowd_report, "worker-05")["too fast"]
    assert "known answer are wrong" in flags_of(crowd_report, "worker-01")["fails gold"]


def test_careful_workers_are_not_flagged(crowd_report: Report) -> None:
    careful = [worker for worker in crowd_report.questions[0].workers if worker.name >= "worker-06"]
    assert len(careful) == 18
    assert [(worker.name, worker.flags) for worker in careful if worker.flags] == []


def test_calibration_is_measured_on_what_the_crowd_says_without_gold(crowd_report: Report) -> None:
    found = crowd_report.questions[0].calibration
    assert found is not None
    assert found.accuracy.total > 80
    assert found.accuracy.value > 0.85
    assert sum(len(tasks) for _, _, tasks in found.bins) == found.accuracy.total


def test_changes_since_the_last_round_are_listed() -> None:
    votes = small_votes()
    earlier = majority_decisions([*votes[:3], *votes[4:]])
    built = report(votes, previous={Question.USABLE: earlier})
    assert built.figures()["questions"][0]["changed"] == [{"face": "f2", "before": "keep", "now": "disputed"}]
    assert "Changed since the last round" in built.to_html()


def test_a_person_overrules_by_name_and_is_in_no_crowd_figure() -> None:
    person = vote("f1", "alice", "reject", kind=VoterKind.PERSON, note="Another man behind him")
    built = report([*small_votes(), person])
    assert built.questions[0].data.votes.n_workers == 3
    assert "Another man behind him" in built.to_html()
    assert built.figures()["questions"][0]["overruled"][0]["by"] == "alice"
    card = re.search(r'<h3>Overruled by people</h3>.*?<div class="card">(.*?)</div>', built.to_html(), re.DOTALL)
    assert card is not None
    assert 'href="#face-' in card[1]
    assert "<b>reject</b> by alice" in card[1]


def test_a_pair_that_answers_alike_opens_the_faces_behind_its_number(crowd_report: Report) -> None:
    (pair,) = crowd_report.questions[0].copies.pairs
    found = re.search(rf'<a href="#(list-\d+)">{pair.shared}</a> of {pair.odd}', crowd_report.to_html())
    assert found is not None
    sheet = crowd_report.to_html().split(f'id="{found[1]}"')[1]
    assert "the same odd answers" in sheet[:400]
    assert str(pair.shared) in sheet[:400]


def test_a_face_that_was_decided_without_votes_is_counted() -> None:
    votes = small_votes()
    decisions = majority_decisions([*votes, vote("f9", "zoe", "keep")])
    built = report(votes, questions={Question.USABLE: (votes, decisions)})
    assert built.questions[0].data.votes.n_tasks == 4
    assert '"f9"' in built.to_json()


def test_two_questions_share_one_page_per_face() -> None:
    votes = small_votes()
    identity = [
        vote("f1", "ann", "same", question=Question.IDENTITY),
        vote("f1", "bob", "same", question=Question.IDENTITY),
    ]
    both = {
        Question.USABLE: (votes, majority_decisions(votes)),
        Question.IDENTITY: (identity, majority_decisions(identity, Question.IDENTITY)),
    }
    html = report(votes, questions=both).to_html()
    page = html.split('aria-label="Face f1"')[1].split("</section>")[0]
    assert "usable: decided, keep" in page
    assert "identity: decided, same" in page


def test_a_face_that_one_question_rejects_needs_no_answer_to_the_other() -> None:
    votes = [vote("f1", who, "keep") for who in ("ann", "bob")]
    votes += [vote("f2", who, "reject", reason="not_a_face") for who in ("ann", "bob")]
    identity = [vote("f1", who, "same", question=Question.IDENTITY) for who in ("ann", "bob")]
    identity += [
        vote("f2", who, label, question=Question.IDENTITY) for who, label in (("ann", "same"), ("bob", "different"))
    ]
    both = {
        Question.USABLE: (votes, majority_decisions(votes)),
        Question.IDENTITY: (identity, majority_decisions(identity, Question.IDENTITY)),
    }
    built = report(votes, questions=both, costs=Costs(Decimal("0.70"), Decimal("0.14")))
    assert built.costs is not None
    assert built.costs.decided == 2
    assert "identity: decide" not in built.to_text()
    assert not len(built.questions[1].reask.tasks)


def test_no_votes_yet_is_a_report_too() -> None:
    built = report([], questions={Question.USABLE: ([], [])})
    assert "0 faces" in built.to_text()
    assert "<!doctype html>" in built.to_html()
    json.loads(built.to_json())
    frames = {"questions", "workers", "flags", "faces", "reask", "votes", "pairs", "changes"}
    assert set(built.to_frames()) == frames


def test_frames_and_json_hold_every_face_and_vote(crowd_report: Report) -> None:
    frames = crowd_report.to_frames()
    assert (len(frames["faces"]), len(frames["votes"]), len(frames["workers"])) == (800, 4000, 24)
    assert len(json.loads(crowd_report.to_json())["questions"][0]["decisions"]) == 800
    assert frames["faces"]["status"].isin(["decided", "disputed", "undecided"]).all()


def test_beyond_the_limits_lists_say_how_much_they_leave_out() -> None:
    votes, _ = face_crowd(faces=500, workers=6, per_face=3, seed=4)
    html = report(votes, thumbnails=lambda _face: None).to_html()
    assert "the first 200 here; all of them are in the CSV and JSON forms" in html


def test_names_replace_ids_on_the_page() -> None:
    html = report(small_votes(), names=lambda face: f"frame_{FaceId(face)}.png").to_html()
    assert "frame_f1.png" in html


def test_a_terminal_shows_forty_workers_and_counts_the_rest() -> None:
    votes = [vote(f"f{face}", f"worker{number:02d}", "keep") for number in range(45) for face in range(2)]
    text = report(votes).to_text()
    assert "worker39" in text
    assert "worker40" not in text
    assert "and 5 more workers, 0 of them flagged; the HTML and JSON reports have all" in text
    assert "worker44" in report(votes).to_json()


def test_who_agrees_with_everybody_is_not_called_a_guesser_where_most_faces_are_good() -> None:
    """Of 120 faces 105 are good: blind answers agree on four in five, and only the rare ones tell."""
    votes = [
        vote(
            f"f{face}",
            worker,
            "reject" if (face % 8 == 0) is not (worker == "eve" and face % 8 in (0, 3)) else "keep",
        )
        for face in range(120)
        for worker in ("ann", "bob", "cy", "eve")
    ]
    few = report([one for one in votes if int(one.face_id[1:]) < 24])
    assert flags_of(few, "eve") == {}
    [said] = [one for one in few.questions[0].workers if one.name == "eve"]
    assert said.told is Told.TOO_FEW
    built = report(votes)
    assert "guessing" not in flags_of(built, "ann")
    assert "guessing" in flags_of(built, "eve")
