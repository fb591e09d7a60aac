"""People from a panel, on the real command line: a class by signed links, and Prolific, killed and cut."""

from __future__ import annotations

import csv
import io
import itertools
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from galloway.mturk.marketplace.config import system_clock
from galloway.pipeline.app import App
from galloway.pipeline.demo.browser import Browser
from galloway.pipeline.market.local import serve_market

from tests.support.prolific import TOKEN, FakeProlific
from tests.support.recruits import SITE, truth_of, visit
from tests.support.workspace import answer_everything, built_app, galloway, kill_until_done

_SETTINGS = """
[ask]
learn = false
votes = 2
faces_per_hit = 5
reward = "0.40"

[recruit]
site = "{site}"

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def done(run: subprocess.CompletedProcess[str], code: int = 0) -> str:
    assert run.returncode == code, run.stderr
    return run.stdout


def data(run: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done(run))


@contextmanager
def asked(folder: Path, *, site: str = "") -> Iterator[tuple[App, str, str]]:
    """(workspace, batch, worker site) with side A published and its marketplace running."""
    app = built_app(folder, settings=_SETTINGS.format(site=site))
    done(galloway(app, "publish", "--side", "a", "--yes"))
    (line,) = data(galloway(app, "batch", "list", "--json"))
    with serve_market(app.workspace) as running:
        yield app, line["batch"], running.addresses.worker


def test_a_class_follows_its_links_and_is_paid_by_one_list(tmp_path: Path) -> None:
    with asked(tmp_path / "ws") as (app, batch, _):
        terms = ("--source", "classroom", "--batch", batch, "--hits", "2", "--minutes", "3", "--title", "Look at faces")
        study = data(galloway(app, "recruit", "new", "class", *terms, "--json"))
        assert (study["places"], study["reward"]) == (4, "0.80")
        assert galloway(app, "recruit", "new", "class", *terms).returncode == 1
        poor = galloway(app, "recruit", "new", "poor", *terms, "--reward", "0.39")
        assert poor.returncode == 1 and "--reward 0.40" in poor.stderr
        assert galloway(app, "recruit", "publish", "class").returncode == 4
        done(galloway(app, "recruit", "publish", "class", "--yes"))
        people = tmp_path / "people.csv"
        people.write_text("participant\nann\nbob\ncem\ndee\neve\n")
        rows = list(csv.DictReader(io.StringIO(done(galloway(app, "recruit", "links", "class", str(people))))))
        truth = truth_of(app)
        for row in rows[:4]:
            assert visit(row["link"], truth) == ""
        forged = rows[0]["link"].replace("participant=ann", "participant=zoe")
        for link in (forged, rows[0]["link"].split("&sig=")[0]):
            refused = Browser().get(link)
            assert refused.status == 403 and "not signed by us" in refused.said
        assert Browser().get(rows[4]["link"]).status == 200
        done(galloway(app, "collect", "--no-pay"))
        assert data(galloway(app, "recruit", "settle", "class", "--json"))["waiting"] == 4
        done(galloway(app, "collect"))
        _check_pay_lists(app)
        report = galloway(app, "report")
        assert "by where workers came from" in done(report)
        assert "classroom              4     40      $3.20     20.0      $0.16" in report.stdout
        assert "invited" not in report.stdout


def _check_pay_lists(app: App) -> None:
    for _ in range(2):
        done(galloway(app, "recruit", "settle", "class", "--yes"))
    pay = list(csv.DictReader(io.StringIO(done(galloway(app, "recruit", "export", "class")))))
    assert [(row["participant"], row["amount"], row["paid"]) for row in pay] == [
        (name, "0.80", "") for name in ("ann", "bob", "cem", "dee")
    ]
    again = galloway(app, "recruit", "export", "class")
    assert again.returncode == 3 and "--list 1" in again.stderr
    assert list(csv.DictReader(io.StringIO(done(galloway(app, "recruit", "export", "class", "--list", "1"))))) == pay
    taken = data(galloway(app, "recruit", "redeem", "class", pay[0]["code"], "--json"))
    assert taken[0]["participant"] == "ann"
    assert galloway(app, "recruit", "redeem", "class", pay[0]["code"]).returncode == 1
    done(galloway(app, "recruit", "paid", "class", "1"))
    assert galloway(app, "recruit", "paid", "class", "1").returncode == 3
    (state,) = data(galloway(app, "recruit", "status", "class", "--json"))
    assert (state["people"], state["paid"], state["due"]) == ({"paid": 4}, "3.20", "0.00")
    assert state["pay"]["finished"] == 4


def _at_home(link: str, site: str) -> str:
    return link.replace(SITE, site)


def _prolific(app: App, batch: str, environment: dict[str, str]) -> str:
    terms = (
        "--prolific",
        "--batch",
        batch,
        "--hits",
        "2",
        "--minutes",
        "3",
        "--title",
        "Faces",
        "--fee-percent",
        "33.3",
    )
    study = data(galloway(app, "recruit", "new", "faces", *terms, "--json", environment=environment))
    return str(study["panel_id"])


def test_prolific_from_the_draft_to_the_pay(tmp_path: Path) -> None:
    fake = FakeProlific(system_clock)
    with asked(tmp_path / "ws", site=SITE) as (app, batch, site), fake.serve() as origin:
        environment = {"PROLIFIC_API": origin, "PROLIFIC_TOKEN": TOKEN}
        panel_id = _prolific(app, batch, environment)
        outputs = []

        def run(*args: str, code: int = 0) -> str:
            ran = galloway(app, "recruit", *args, environment=environment)
            outputs.append(ran.stdout + ran.stderr)
            return done(ran, code)

        run("publish", "faces", "--yes")
        assert [study["status"] for study in fake.studies.values()] == ["ACTIVE"]
        run("pause", "faces")
        run("start", "faces")
        truth = truth_of(app)
        for _ in range(3):
            _, session, link = fake.arrive(panel_id)
            fake.come_back(session, visit(_at_home(link, site), truth))
        _, gone, link = fake.arrive(panel_id)
        visit(_at_home(link, site), truth, pages=1)
        done(galloway(app, "collect"))
        assert "would be due now; nothing was paid" in run("settle", "faces", "--dry-run")
        assert [fake.money(session) for session in fake.submissions] == [0] * 4
        settled = json.loads(run("settle", "faces", "--yes", "--json"))
        assert (settled["paid"], settled["waiting"]) == (3, 1)
        assert json.loads(run("settle", "faces", "--json"))["paid"] == 0
        assert sorted(map(fake.money, fake.submissions)) == [0, 80, 80, 80]
        reason = "The first page was begun and left; nothing else was handed in, and no question was asked. " * 2
        assert (
            "nothing was"
            in galloway(
                app,
                "recruit",
                "reject",
                "faces",
                gone,
                "--category",
                "NO_DATA",
                "--reason",
                "no",
                environment=environment,
            ).stderr.lower()
        )
        fake.submissions[gone]["status"] = "AWAITING REVIEW"
        run("reject", "faces", gone, "--category", "NO_DATA", "--reason", reason)
        assert fake.submissions[gone]["status"] == "REJECTED"
        run("stop", "faces")
        assert "paid $2.40 and $0.81 fees" in run("status", "faces", "--people", "--ask")
        assert not [text for text in outputs if TOKEN in text]
        assert not [
            path for path in app.workspace.root.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()
        ]


def test_reports_come_in_signed_over_http(tmp_path: Path) -> None:
    fake = FakeProlific(system_clock)
    with asked(tmp_path / "ws", site=SITE) as (app, batch, site), fake.serve() as origin:
        environment = {"PROLIFIC_API": origin, "PROLIFIC_TOKEN": TOKEN}
        panel_id = _prolific(app, batch, environment)
        done(galloway(app, "recruit", "publish", "faces", "--yes", environment=environment))
        assert galloway(app, "recruit", "listen", environment=environment).returncode == 1
        with (app.workspace.root / "galloway.toml").open("r+") as file:
            text = file.read().replace("[recruit]", '[recruit]\nworkspace = "w1"')
            file.seek(0)
            file.write(text)
        done(galloway(app, "recruit", "listen", environment=environment))
        assert [one["confirmed"] for one in fake.subscriptions.values()] == [True, True]
        assert {one["target_url"] for one in fake.subscriptions.values()} == {f"{SITE}/recruit/hooks/prolific"}
        _, session, link = fake.arrive(panel_id)
        visit(_at_home(link, site), truth_of(app), pages=1)
        about = {"resource_id": session, "event_type": "submission.status.change", "status": "RETURNED"}
        headers, body = fake.report("e1", about)
        answers = [_post(f"{site}/recruit/hooks/prolific", headers, body) for _ in range(2)]
        answers.append(_post(f"{site}/recruit/hooks/prolific", {**headers, "X-Event-ID": "e2"}, body + b" "))
        assert answers == [204, 204, 403]
        (state,) = data(galloway(app, "recruit", "status", "faces", "--people", "--json"))
        assert [one["panel_state"] for one in state["people_list"]] == ["RETURNED"]


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, Request, build_opener

    try:
        with build_opener(ProxyHandler({})).open(Request(url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
def test_paying_is_killed_and_cut_again_and_again_and_nobody_is_paid_twice(tmp_path: Path) -> None:
    """SIGKILL at many places, and every third answer of Prolific is lost after it did what was asked."""
    numbers = itertools.count()
    fake = FakeProlific(system_clock, fault=lambda method, path: "dropped after" if next(numbers) % 3 == 2 else "")
    with asked(tmp_path / "ws", site=SITE) as (app, batch, site), fake.serve() as origin:
        environment = {"PROLIFIC_API": origin, "PROLIFIC_TOKEN": TOKEN}
        panel_id = _prolific(app, batch, environment)
        kills, _ = kill_until_done(app, "recruit", "publish", "faces", "--yes", environment=environment)
        assert [study["status"] for study in fake.studies.values()] == ["ACTIVE"]
        truth = truth_of(app)
        for _ in range(3):
            _, session, link = fake.arrive(panel_id)
            fake.come_back(session, visit(_at_home(link, site), truth))
        done(galloway(app, "collect"))
        more, _ = kill_until_done(app, "recruit", "settle", "faces", "--yes", environment=environment)
        assert kills >= 2 and more >= 2
        for _ in range(3):
            galloway(app, "recruit", "settle", "faces", "--yes", environment=environment)
        assert [fake.money(session) for session in fake.submissions] == [80] * 3
        (state,) = data(galloway(app, "recruit", "status", "faces", "--json"))
        assert (state["people"], state["paid"]) == ({"paid": 3}, "2.40")


def test_invited_workers_and_recruits_are_told_apart_in_the_report(tmp_path: Path) -> None:
    with asked(tmp_path / "ws") as (app, batch, _):
        terms = (
            "--source",
            "sona",
            "--open-link",
            "--batch",
            batch,
            "--hits",
            "4",
            "--minutes",
            "3",
            "--title",
            "Faces",
        )
        done(galloway(app, "recruit", "new", "pool", *terms, "--places", "1"))
        done(galloway(app, "recruit", "publish", "pool", "--yes"))
        (state,) = data(galloway(app, "recruit", "status", "pool", "--json"))
        link = state["links"][0].replace("=PARTICIPANT", "=4711").replace("=SESSION", "=")
        visit(link, truth_of(app))
        answer_everything(app, workers=1)
        done(galloway(app, "collect"))
        done(galloway(app, "recruit", "settle", "pool", "--yes"))
        done(galloway(app, "recruit", "export", "pool"))
        done(galloway(app, "recruit", "paid", "pool", "1"))
        done(galloway(app, "report"))
        figures = json.loads((app.workspace.root / "reports" / "agreement.json").read_bytes())
        found = {one["source"]: one for one in figures["sources"]}
        assert {name: (one["workers"], one["spent"]) for name, one in found.items()} == {
            "invited": (1, "1.60"),
            "sona": (1, "1.60"),
        }
        assert sum(one["decisions"] for one in found.values()) == pytest.approx(20)
