"""A project while people answer, on the command line: pictures of a folder, more answers, more time, taking back."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from galloway.mturk.requester.client import MTurkClient
from galloway.pipeline.app import App
from galloway.pipeline.market.local import local_keys
from galloway.pipeline.projects.project import find_project
from galloway.pipeline.stages.setup import make_workspace
from PIL import Image

from tests.support.projects import answer, done, market
from tests.support.workspace import galloway

_PAGE = """<p>Is <b>${bird}</b> on <img src="${picture}">?</p>
<label><input type="radio" name="answer" value="yes" required> yes</label>
<label><input type="radio" name="answer" value="no"> no</label><textarea name="why"></textarea>"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    workspace, _ = make_workspace(tmp_path / "ws")
    pictures = tmp_path / "pictures" / "first day"
    pictures.mkdir(parents=True)
    rows = ["bird;picture"]
    for number in range(1, 5):
        picture = Image.new("RGB", (40, 20), (number * 60, 10, 10))
        exif = Image.Exif()
        exif[0x010E] = "taken at home"
        picture.save(pictures / f"Vögel {number}.jpg", exif=exif)
        rows.append(
            f"bird {number};C:\\Bilder\\Vögel {number}.JPG" if number == 1 else f"bird {number};Vögel {number}.jpg"
        )
    (tmp_path / "birds.csv").write_text("\n".join(rows) + "\n", encoding="cp1252")
    (tmp_path / "birds.html").write_text(_PAGE, encoding="utf-8")
    app = App(workspace)
    terms = ("--assignments", "2", "--reward", "0.05", "--seconds", "20")
    done(app, "new", "birds", "--template", str(tmp_path / "birds.html"), *terms)
    return app


def publish(app: App, tmp_path: Path, *args: str, code: int = 0) -> Any:
    media = ("--media", str(tmp_path / "pictures"))
    return done(app, "publish", "birds", str(tmp_path / "birds.csv"), *media, *args, code=code)


def test_pictures_of_a_folder_are_hosted_without_their_metadata(app: App, tmp_path: Path) -> None:
    without = done(app, "publish", "birds", str(tmp_path / "birds.csv"), "--dry-run").stderr
    assert "4 cells of picture name files, not addresses" in without
    assert "--media" in without
    page = Path(
        done(
            app, "preview", "birds", str(tmp_path / "birds.csv"), "--media", str(tmp_path / "pictures")
        ).stdout.split()[0]
    )
    assert 'src="data:image/jpeg;base64,' in page.read_text(encoding="utf-8")
    publish(app, tmp_path, "--dry-run")
    assert not (app.workspace.root / "media").exists(), "a dry run copies nothing"
    with market(app) as client:
        publish(app, tmp_path, "--yes")
        hits = client.list_hits()["HITs"]
        frames = json.loads((app.workspace.root / "market" / "running.json").read_text())["frames"]
        links = [re.search(r'src="(/images/[\w-]+)"', hit["Question"]) for hit in hits]
        assert all(links)
        address = frames + links[0][1]  # type: ignore[index]
        with urlopen(address, timeout=10) as answered:
            body = answered.read()
            assert answered.headers["Content-Type"] == "image/jpeg"
        assert b"taken at home" not in body
        part = Request(address, headers={"Range": "bytes=2-5"})
        with urlopen(part, timeout=10) as answered:
            assert (answered.status, answered.read()) == (206, body[2:6])
        with pytest.raises(HTTPError, match="404"):
            urlopen(address[:-2] + "xx", timeout=10)
        done(app, "publish", "birds", str(tmp_path / "birds.csv"), "--yes", code=3)
        answer(app, hits)
        out = tmp_path / "results.csv"
        done(app, "results", "birds", "--out", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        names = {row["Input.picture"] for row in csv.DictReader(file)}
    assert "Vögel 2.jpg" in names, "the results name the file, not our link"


def test_a_cell_that_names_no_file_stops_before_anything_is_sent(app: App, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "first day" / "Vögel 3.jpg").unlink()
    assert (
        "1 cell of picture names no file that was given, first 'Vögel 3.jpg'"
        in publish(app, tmp_path, "--yes", code=1).stderr
    )
    (tmp_path / "pictures" / "Vögel 3.jpg").write_text("<svg onload=alert(1)>", encoding="utf-8")
    assert "Vögel 3.jpg is no picture" in publish(app, tmp_path, "--yes", code=1).stderr
    assert app.ledger.batches() == []


def test_a_finished_page_keeps_its_end_and_gets_more_answers_without_more_time(app: App, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    with market(app) as client:
        publish(app, tmp_path, "--yes")
        answer(app, hits := client.list_hits()["HITs"])
        done(app, "results", "birds", "--out", str(out))
        with out.open(encoding="utf-8", newline="") as file:
            ends = {row["Expiration"] for row in csv.DictReader(file)}
        assert ends == {f"{hit['Expiration']:%a %b %d %H:%M:%S} UTC {hit['Expiration']:%Y}" for hit in hits}
        done(app, "extend", "birds", "--assignments", "3", "--yes")
        assert {hit["HITStatus"] for hit in client.list_hits()["HITs"]} == {"Assignable"}
        assert {row.status for row in app.ledger.progress("local")} == {"published"}


def test_more_answers_and_more_time_are_bought_once(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with market(app) as client:
        publish(app, tmp_path, "--yes")
        answer(app, client.list_hits()["HITs"])
        done(app, "results", "birds", "--out", str(tmp_path / "r.csv"))
        extend = ("extend", "birds", "--assignments", "3", "--hours", "90")
        priced = done(app, *extend, "--dry-run").stderr
        assert "3 workers a row" in priced
        assert "$0.20 more ($0.60 in all)" in priced
        assert done(app, *extend, code=4).stdout == ""
        _killed_while_extending(app, extend, monkeypatch)
        assert "$0.00 more" in done(app, *extend, "--yes").stderr, "the price was in the ledger before the kill"
        hits = client.list_hits()["HITs"]
        assert {hit["MaxAssignments"] for hit in hits} == {3}
        assert {hit["HITStatus"] for hit in hits} == {"Assignable"}
        done(app, "extend", "birds", "--assignments", "3", "--yes", code=3)
        assert "never gets 10" in done(app, "extend", "birds", "--assignments", "10", "--yes", code=1).stderr
        assert "never taken" in done(app, "extend", "birds", "--assignments", "2", "--yes", code=1).stderr
        assert "cannot be changed" in done(app, "extend", "birds", "--hours", "8760", "--yes", code=1).stderr
        answer(app, hits, names=("cem",))
        done(app, "results", "birds", "--out", str(tmp_path / "r.csv"))
    assert "12/12 answers" in done(app, "list").stdout
    publish(app, tmp_path, "--yes", code=3)


def _killed_while_extending(app: App, extend: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second HIT is extended at the market, and the command dies before it hears so."""
    add, calls = MTurkClient.add_assignments, []

    def dying(self: MTurkClient, hit_id: str, number: int, token: str) -> None:
        add(self, hit_id, number, token)
        calls.append(hit_id)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MTurkClient, "add_assignments", dying)
        done(app, *extend, "--yes", code=130)


def test_the_budget_holds_for_an_extension_too(app: App, tmp_path: Path) -> None:
    publish(app, tmp_path, "--yes")
    command = ("project", "extend", "birds", "--assignments", "9", "--yes")
    found = galloway(app, *command, environment={"GALLOWAY_ASK__BUDGET": "0.50"})
    assert (found.returncode, "the budget is $0.50" in found.stderr) == (4, True)
    assert app.ledger.batches()[0]["max_assignments"] == 2


def test_a_batch_is_taken_back(app: App, tmp_path: Path) -> None:
    assert "Nothing of birds was published" in done(app, "cancel", "birds", code=1).stderr
    with market(app) as client:
        publish(app, tmp_path, "--yes")
        answer(app, client.list_hits()["HITs"][:2])
        assert "4 HITs deleted, 0 never sent, 4 answers paid" in done(app, "cancel", "birds").stdout
        assert client.list_hits()["NumResults"] == 0
        done(app, "results", "birds", "--out", str(tmp_path / "r.csv"))
        assert "was taken back" in done(app, "extend", "birds", "--hours", "4", "--yes", code=1).stderr
    assert (tmp_path / "r.csv").read_text(encoding="utf-8").count("Approved") == 4


def test_answers_go_into_votes_without_a_file_and_doubtful_rows_out_again(app: App, tmp_path: Path) -> None:
    with market(app) as client:
        publish(app, tmp_path, "--yes")
        hits = client.list_hits()["HITs"]
        said = [("answer", "yes"), ("why", "")]
        answer(app, hits, said, names=("ann",))
        for number, hit in enumerate(hits):
            answer(app, [hit], [("answer", "no" if number == 1 else "yes")], names=(f"bob {number}",))
        done(app, "results", "birds", "--out", str(tmp_path / "r.csv"))
    decided = galloway(app, "votes", "aggregate", "project:birds", "--method", "majority", "--out", "-")
    assert decided.returncode == 0, decided.stderr
    rows = list(csv.DictReader(decided.stdout.splitlines()))
    assert sorted(row["task"] for row in rows) == [f"bird {number}" for number in range(1, 5)]
    assert [row["status"] for row in rows].count("disputed") == 1
    report = galloway(app, "votes", "report", "project:birds", "--out", str(tmp_path / "report.html"))
    assert report.returncode == 0, report.stderr
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    workers = {
        item["WorkerId"] for item in csv.DictReader((tmp_path / "r.csv").read_text(encoding="utf-8").splitlines())
    }
    assert not any(worker in text for worker in workers), "workers are pseudonyms"
    done(app, "reask", "birds", "--out", str(tmp_path / "again.csv"))
    again = list(csv.DictReader((tmp_path / "again.csv").read_text(encoding="utf-8").splitlines()))
    disputed = next(row["task"] for row in rows if row["status"] == "disputed")
    assert again[0]["bird"] == disputed
    asked = json.loads(
        done(
            app,
            "publish",
            "birds",
            str(tmp_path / "again.csv"),
            "--media",
            str(tmp_path / "pictures"),
            "--yes",
            "--json",
        ).stdout
    )
    assert asked["sent"] == len(again)


def test_a_project_goes_to_another_workspace(app: App, tmp_path: Path) -> None:
    publish(app, tmp_path, "--yes")
    done(app, "export", "birds", "--out", str(tmp_path / "birds.zip"))
    other, _ = make_workspace(tmp_path / "other")
    (other.root / "projects").mkdir()
    with zipfile.ZipFile(tmp_path / "birds.zip") as archive:
        names = archive.namelist()
        archive.extractall(other.root / "projects")
    mine = find_project(app.workspace, "birds")
    assert (find_project(other, "birds").terms, find_project(other, "birds").template) == (mine.terms, mine.template)
    table = next(name for name in names if name.endswith(".csv"))
    assert "Vögel 2.jpg" in (other.root / "projects" / table).read_text(encoding="utf-8")
    assert json.loads(done(App(other), "list", "--json").stdout)[0]["batches"] == 0


def test_another_market_asks_for_a_place_for_pictures_only_where_there_are_any(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workspace's own marketplace by its address, as somebody else's."""
    key, secret = local_keys(app.workspace)
    with market(app) as client:
        other = {
            "GALLOWAY_MARKET__NAME": client.meta.endpoint_url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
        }
        command = ("project", "publish", "birds", str(tmp_path / "birds.csv"), "--yes")
        refused = galloway(app, *command, "--media", str(tmp_path / "pictures"), environment=other)
        assert (refused.returncode, "hosting.public_url" in refused.stderr) == (1, True)
        sent = galloway(app, *command, environment=other)
        assert sent.returncode == 0, sent.stderr
        assert len(client.list_hits()["HITs"]) == 4
        back = galloway(app, "project", "cancel", "birds", environment=other)
        assert "4 HITs deleted" in back.stdout, back.stderr
