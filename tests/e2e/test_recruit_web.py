"""Recruiting in the browser: the requester's page from new study to paid list, and a person's way through it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from galloway.mturk.marketplace.office.recruiting import Recruiting
from galloway.mturk.recruiting.values import Group
from galloway.pipeline.web import create_web_app
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.test_recruit import asked, data, done
from tests.support.acting import job_state
from tests.support.crowd import write
from tests.support.marketplace import html_question
from tests.support.recruits import link_study, truth_of, visit
from tests.support.served import served
from tests.support.sites import PHONE, Site
from tests.support.workspace import galloway


def _post(client: FlaskClient, web: Flask, path: str, **form: str) -> str:
    answer = client.post(path, data=form)
    assert answer.status_code == 303, answer.text
    state, text = job_state(web)
    assert state == "done", text
    return text


def test_a_class_from_the_form_to_the_paid_list_in_the_browser(tmp_path: Path) -> None:
    with asked(tmp_path / "ws") as (app, batch, _):
        web = create_web_app(app.workspace)
        client = web.test_client()
        assert "There is no study yet" in client.get("/recruits/").text
        terms = {
            "name": "class",
            "title": "Look at faces",
            "batch": batch,
            "hits": "2",
            "minutes": "3",
            "source": "class",
        }
        assert client.post("/recruits/", data={**terms, "title": ""}).status_code == 400
        assert "4 people at $0.80" in _post(client, web, "/recruits/", **{**terms, "title": "Look at fazes"})
        assert "Look at fazes" in (listing := client.get("/recruits/").text) and "/recruits/class/remove" in listing
        assert "can be made anew" in _post(client, web, "/recruits/class/remove")
        assert "4 people at $0.80" in _post(client, web, "/recruits/", **terms)
        assert client.post("/recruits/class/change", data={"action": "PUBLISH"}).status_code == 400
        assert "published" in _post(client, web, "/recruits/class/change", action="PUBLISH", yes="yes")
        assert client.post("/recruits/class/links", data={"who": " \n"}).status_code == 400
        given = client.post("/recruits/class/links", data={"who": "ann\n\n bob \n", "days": "14"}).text
        for row in csv.DictReader(io.StringIO(given)):
            visit(row["link"], truth_of(app))
        done(galloway(app, "collect"))
        assert client.post("/recruits/class/settle").status_code == 400
        assert "2 for the next pay list" in _post(client, web, "/recruits/class/settle", yes="yes")
        rows = list(csv.DictReader(io.StringIO(client.post("/recruits/class/list").text)))
        assert [(row["participant"], row["amount"]) for row in rows] == [("ann", "0.80"), ("bob", "0.80")]
        assert client.post("/recruits/class/list").status_code == 409
        again = client.post("/recruits/class/list", data={"number": "1"}).text
        assert [row["code"] for row in csv.DictReader(io.StringIO(again))] == [row["code"] for row in rows]
        _codes_and_refusals(client, web, rows[0]["code"])
        assert "2 payments" in _post(client, web, "/recruits/class/paid", number="1")
        assert "paused" in _post(client, web, "/recruits/class/change", action="PAUSE")
        page = client.get("/recruits/").text
        assert "/recruits/class/remove" not in page, "people agreed to its terms"
        assert "2 paid" in page and "$1.60" in page and "Go on" in page
        looking = create_web_app(app.workspace, actions=False).test_client()
        assert looking.get("/recruits/").status_code == 200
        assert looking.post("/recruits/class/settle", data={"yes": "yes"}).status_code == 403
        assert looking.get("/recruits/class/people").status_code == 403
        (state,) = data(galloway(app, "recruit", "status", "class", "--json"))
        assert state["status"] == "paused"


def _codes_and_refusals(client: FlaskClient, web: Flask, code: str) -> None:
    sheet = io.BytesIO(f"Code;Name\r\n{code};Änn\r\nNOT-OURS;x\r\n".encode("cp1252"))
    page = client.post("/recruits/class/codes", data={"file": (sheet, "panel.csv")}).text
    assert f"{code} is ann&#39;s" in page
    assert "NOT-OURS" in page
    assert "was taken before" in client.post("/recruits/class/codes", data={"codes": code}).text
    person = {"session": "ann", "yes": "yes", "category": "LOW_EFFORT", "reason": "too short"}
    client.post("/recruits/class/refuse", data=person)
    assert job_state(web)[0] == "failed"
    assert client.post("/recruits/class/refuse", data={**person, "category": "MOOD"}).status_code == 400
    assert client.post("/recruits/class/approve", data={"session": "ann"}).status_code == 400


def test_links_for_a_spreadsheet_of_people_by_page_and_by_command(tmp_path: Path) -> None:
    """Excel's own CSV: semicolons, Windows' letters, a column in capitals."""
    sheet = "Participant;Session\r\nJürgen;s1\r\n;\r\nann;\r\n".encode("cp1252")
    with asked(tmp_path / "ws") as (app, batch, _):
        terms = ("--batch", batch, "--hits", "4", "--minutes", "3", "--title", "Look", "--source", "class")
        done(galloway(app, "recruit", "new", "class", *terms))
        done(galloway(app, "recruit", "publish", "class", "--yes"))
        (tmp_path / "people.csv").write_bytes(sheet)
        told = done(galloway(app, "recruit", "links", "class", str(tmp_path / "people.csv")))
        client = create_web_app(app.workspace).test_client()
        shown = client.post("/recruits/class/links", data={"file": (io.BytesIO(sheet), "people.csv")})
        assert shown.headers["Content-Disposition"].endswith("links-class.csv")
        for text in (told, shown.text):
            rows = list(csv.DictReader(io.StringIO(text)))
            assert [(row["participant"], row["session"]) for row in rows] == [("Jürgen", "s1"), ("ann", "ann")]
        wrong = client.post("/recruits/class/links", data={"file": (io.BytesIO(b"name\nann\n"), "people.csv")})
        assert wrong.status_code == 400
        assert "people.csv has no column participant; it has name." in wrong.text


_DESKTOP = ViewportSize(width=1280, height=860)


def _fits(page: Page, shown: str, *sizes: ViewportSize) -> None:
    """The page that says so is there (a click may return before it is), is no wider than the window, and whole."""
    expect(page.locator("main")).to_contain_text(shown)
    page.wait_for_load_state()
    for size in sizes or [page.viewport_size or PHONE]:
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.browser
@pytest.mark.slow
def test_the_panels_pages_hold_on_desktop_and_phone(browser: Browser, tmp_path: Path) -> None:
    with asked(tmp_path / "ws") as (app, batch, _):
        terms = ("--batch", batch, "--hits", "2", "--minutes", "3", "--title", "Look at faces", "--source", "class")
        done(galloway(app, "recruit", "new", "class", *terms))
        done(galloway(app, "recruit", "publish", "class", "--yes"))
        with served(app.workspace) as (link, _process):
            context = browser.new_context(accept_downloads=True)
            page = context.new_page()
            page.goto(link)
            page.get_by_role("link", name="Panels", exact=True).click()
            _fits(page, "People from a panel", _DESKTOP, PHONE)
            page.get_by_role("link", name="Links, codes and people").click()
            page.get_by_label("Participants, one a line").fill("ann\nbob")
            with page.expect_download() as told:
                page.get_by_role("button", name="Download the links (CSV)").click()
            rows = list(csv.DictReader(told.value.path().read_text().splitlines()))
            assert [row["participant"] for row in rows] == ["ann", "bob"]
            for row in rows:
                visit(row["link"], truth_of(app))
            page.reload()
            expect(page.get_by_role("cell", name="ann").first).to_be_visible()
            page.get_by_text("Pay somebody all the same").click()
            _fits(page, "Pay somebody all the same", _DESKTOP, PHONE)
            context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_a_strangers_pages_hold_on_a_phone_and_for_a_screen_reader(browser: Browser, market: Site) -> None:
    made = market.publish(html_question("<form><input name='q' aria-label='q'><button>Send</button></form>"), places=9)
    group = market.client.get_hit(HITId=made)["HIT"]["HITGroupId"]
    office = Recruiting(market.running.market.store)
    study = link_study((Group(group, 9),), hits=1, status="published", complete_url="")
    office.add_study(study)
    page = browser.new_context(viewport=PHONE).new_page()
    page.goto(office.person_link(study, market.addresses.worker, "ann", "s1", None))
    _fits(page, "Before you agree")
    page.get_by_role("button", name="I agree, begin").click()
    _fits(page, "First page")
    page.get_by_role("button", name="First page").click()
    task = page.frame_locator("#task")
    write(task.locator("input[name=q]"), "yes")
    task.get_by_role("button", name="Send").click()
    page.wait_for_url("**/after")
    _fits(page, "Sent. Thank you")
    assert "sandbox" not in page.locator("header").inner_text()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Finish and get my code").click()
    _fits(page, "This is your completion code")
    (entry,) = office.entries("class")
    assert entry.code in page.locator("main").inner_text()
    page.goto(f"{market.addresses.worker}/")
    page.wait_for_url("**/recruit/")
    page.locator("summary").click()
    page.get_by_label("Erase what is stored about me, too").check()
    page.get_by_role("button", name="Erase my record").click()
    _fits(page, "Thank you for having looked")
    page.goto(f"{market.addresses.worker}/recruit/")
    assert "Your session is over" in page.locator("main").inner_text()
