"""`galloway project`: from a page and a spreadsheet to paid answers, on the real command line and marketplace."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from galloway.mturk.requester.client import HitInfo, HitRequest, MTurkClient
from galloway.pipeline.app import App
from galloway.pipeline.projects.template import GALLERY, gallery_page, variables
from galloway.pipeline.stages.setup import make_workspace

from tests.support.projects import answer, done, market
from tests.support.workspace import galloway, kill_until_done

_PAGE = """<p>Is <b>${bird}</b> on <img src="${picture}">?</p>
<label><input type="radio" name="answer" value="yes" required> yes</label>
<label><input type="radio" name="answer" value="no"> no</label><textarea name="why"></textarea>"""
_CROWD = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form>
<crowd-image-classifier name="kind" src="${picture}" categories="['yes', 'no']" header="A bird?">
</crowd-image-classifier></crowd-form>"""
_ROWS = "bird;picture;source\nFinkenvögel;https://pictures.test/1.jpg;=1+1\n" + "".join(
    f"bird {number};https://pictures.test/{number}.jpg;a\n" for number in range(2, 5)
)


@pytest.fixture
def app(tmp_path: Path) -> App:
    workspace, _ = make_workspace(tmp_path / "ws")
    (tmp_path / "birds.html").write_text(_PAGE, encoding="utf-8")
    (tmp_path / "birds.csv").write_text(_ROWS, encoding="cp1252")
    return App(workspace)


def test_the_whole_way(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, rows, out = tmp_path / "birds.html", tmp_path / "birds.csv", tmp_path / "results.csv"
    terms = ("--title", "Is it a bird?", "--reward", "0.05", "--assignments", "2", "--seconds", "20")
    assert "bird, picture" in done(app, "new", "birds", "--template", str(page), *terms).stderr
    assert "already" in done(app, "new", "birds", "--template", str(page), code=1).stderr
    shown = done(app, "preview", "birds", str(rows)).stdout.split("\n")
    first = Path(shown[0]).read_text(encoding="utf-8")
    assert len(shown) == 4
    assert "Finkenvögel" in first
    assert 'src="https://pictures.test/1.jpg"' in first
    assert "submitButton" in first

    priced = done(app, "publish", "birds", str(rows), "--dry-run").stderr
    assert "4 HITs, 8 assignments at $0.05 (about $9.00 an hour): $0.40" in priced
    assert "source" in priced
    assert done(app, "publish", "birds", str(rows), code=4).stdout == ""
    with market(app) as client:
        assert client.list_hits()["NumResults"] == 0
        _killed_while_sending(app, rows, monkeypatch)
        page.write_text("<p>changed</p>", encoding="utf-8")
        (app.workspace.root / "projects/birds/template.html").write_text("<input name=other>${bird}", encoding="utf-8")
        sent = json.loads(done(app, "publish", "birds", str(rows), "--yes", "--json").stdout)
        assert (sent["hits"], sent["already"], sent["adopted"], sent["sent"]) == (4, 1, 1, 2)
        done(app, "publish", "birds", str(rows), "--yes", code=3)
        (tmp_path / "same.csv").write_text(_ROWS.replace(";", "\t"), encoding="utf-16")
        assert "--turn" in done(app, "publish", "birds", str(tmp_path / "same.csv"), "--yes", code=3).stderr
        hits = sorted(client.list_hits()["HITs"], key=lambda hit: str(hit["RequesterAnnotation"][-6:]))
        assert len(hits) == 4
        assert all('name="why"' in hit["Question"] for hit in hits)
        answer(app, hits)
        done(app, "results", "birds", "--out", str(out))
        _settled(app, client, out)
    assert "8/8 answers" in done(app, "list").stdout
    report = galloway(app, "votes", "report", str(out), "--label-column", "answer", "--out", str(tmp_path / "r.html"))
    assert report.returncode == 0, report.stderr
    assert (tmp_path / "r.html").stat().st_size > 1000


@pytest.mark.slow
def test_publishing_is_killed_again_and_again_and_every_row_is_sent_once(app: App, tmp_path: Path) -> None:
    """SIGKILL of command and marketplace, at growing times until it ends by itself."""
    rows = tmp_path / "many.csv"
    rows.write_text("bird,picture\n" + "".join(f"bird {n},https://pictures.test/{n}.jpg\n" for n in range(150)))
    terms = ("--title", "Is it a bird?", "--reward", "0.05", "--seconds", "20")
    done(app, "new", "birds", "--template", str(tmp_path / "birds.html"), *terms)
    kills, code = kill_until_done(app, "project", "publish", "birds", str(rows), "--yes")
    assert kills >= 2
    assert code in (0, 3)
    done(app, "publish", "birds", str(rows), "--yes", code=3)
    with market(app) as client:
        pages = client.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 100})
        hits = [hit for page in pages for hit in page["HITs"]]
    assert len(hits) == len({hit["RequesterAnnotation"] for hit in hits}) == 150
    assert len({hit["Question"] for hit in hits}) == 150


def _killed_while_sending(app: App, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second HIT arrives at the market, and the command dies before it hears so."""
    create, calls = MTurkClient.create_hit, []

    def dying(self: MTurkClient, request: HitRequest) -> HitInfo:
        made = create(self, request)
        calls.append(made)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return made

    with monkeypatch.context() as patch:
        patch.setattr(MTurkClient, "create_hit", dying)
        done(app, "publish", "birds", str(rows), "--yes", code=130)


def _settled(app: App, client: Any, out: Path) -> None:
    text = out.read_text(encoding="utf-8")
    assert "\n'=" not in text and ",'=1+1" in text and ",'=HYPERLINK(1)" in text
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 8
    assert {row["AssignmentStatus"] for row in found} == {"Submitted"}
    assert {row["Reward"] for row in found} == {"$0.05"}
    assert all(client.get_assignment(AssignmentId=row["AssignmentId"]) for row in found)
    assert sorted(row["Input.bird"] for row in found)[:2] == ["Finkenvögel"] * 2
    assert {row["Answer.answer"] for row in found if row["Input.bird"] == "bird 4"} == {"no"}
    for row in found[:6]:
        row["Approve"] = "x"
    found[6]["Reject"] = "=not looked at"
    marked = out.with_name("marked.csv")
    pd.DataFrame(found).to_csv(marked, index=False)
    told = done(app, "settle", "birds", str(marked)).stdout
    assert "6 approved ($0.30), 1 rejected, 0 were before, 1 left" in told
    done(app, "settle", "birds", str(marked), code=3)
    status = [client.get_assignment(AssignmentId=row["AssignmentId"])["Assignment"] for row in found]
    assert [one["AssignmentStatus"] for one in status] == ["Approved"] * 6 + ["Rejected", "Submitted"]
    assert status[6]["RequesterFeedback"] == "=not looked at"
    found[6]["Approve"], found[6]["Reject"], found[7]["Approve"] = "x", "", "x"
    pd.DataFrame(found).to_csv(marked, index=False)
    assert "override" in done(app, "settle", "birds", str(marked), code=1).stderr
    assert client.get_assignment(AssignmentId=found[7]["AssignmentId"])["Assignment"]["AssignmentStatus"] == "Submitted"
    done(app, "results", "birds", "--out", str(out.with_suffix(".parquet")))
    again = pd.read_parquet(out.with_suffix(".parquet"))
    assert list(again["AssignmentStatus"]) == ["Approved"] * 6 + ["Rejected", "Submitted"]
    assert (again["ApprovalTime"] != "").sum() == 6
    assert (again["RejectionTime"] != "").sum() == 1
    assert list(again["Input.source"]).count("=1+1") == 2


def test_the_budget_is_a_wall(app: App, tmp_path: Path) -> None:
    done(app, "new", "birds", "--template", str(tmp_path / "birds.html"))
    publish = ("project", "publish", "birds", str(tmp_path / "birds.csv"), "--yes")
    found = galloway(app, *publish, environment={"GALLOWAY_ASK__BUDGET": "0.30"})
    assert found.returncode == 4
    assert "$0.60" in found.stderr
    assert not (app.workspace.root / "projects/birds/batches").exists()


@pytest.mark.parametrize("gallery", GALLERY)
def test_a_page_of_the_gallery_goes_to_market(app: App, tmp_path: Path, gallery: str) -> None:
    columns = variables(gallery_page(gallery))
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{','.join(columns)}\n{','.join('x' for _ in columns)}\n", encoding="utf-8")
    done(app, "new", "mine", "--gallery", gallery)
    assert json.loads(done(app, "publish", "mine", str(rows), "--yes", "--json").stdout)["sent"] == 1


def test_crowd_answers_stay_as_they_were_sent(app: App, tmp_path: Path) -> None:
    page, rows, out = tmp_path / "crowd.html", tmp_path / "birds.csv", tmp_path / "results.csv"
    page.write_text(_CROWD, encoding="utf-8")
    done(app, "new", "crowd", "--template", str(page), "--assignments", "2")
    with market(app) as client:
        done(app, "publish", "crowd", str(rows), "--yes")
        sent = [("taskAnswers", '[{"kind": {"label": "yes"}}]')]
        answer(app, client.list_hits()["HITs"], sent)
        done(app, "results", "crowd", "--out", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert {row["Answer.taskAnswers"] for row in found} == {sent[0][1]}
    assert [name for name in found[0] if name.startswith("Answer.")] == ["Answer.taskAnswers"]
    votes = galloway(app, "votes", "aggregate", str(out), "--out", str(tmp_path / "d.csv"), "--json")
    assert votes.returncode == 0, votes.stderr
