"""Studies to recruit for, and people who follow their links."""

from __future__ import annotations

import html
import random
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from galloway.curation.types import Side
from galloway.mturk.marketplace.office.recruiting import Recruiting
from galloway.mturk.recruiting.values import Group, Study
from galloway.pipeline.app import App
from galloway.pipeline.demo.browser import Browser, Form, Page, read_task
from galloway.pipeline.demo.crowd import Profile, SampleTruth, TrueFace, answer
from galloway.pipeline.market.pictures import face_file, worker_jpeg

from tests.support.marketplace import Bench

__all__ = ["SITE", "given", "link_study", "prolific_study", "published", "truth_of", "two_hits", "visit"]

SITE = "https://work.example.org"


def link_study(groups: tuple[Group, ...], **changes: Any) -> Study:
    """A study by signed links: two HITs for a dollar, six minutes."""
    study = Study(
        key="class",
        profile="link",
        source="classroom",
        title="Look at faces",
        about="Say which of these pictures show a face.",
        contact="Ada, ada@example.org",
        signed="person",
        groups=groups,
        hits=2,
        reward=Decimal("1.00"),
        currency="$",
        minutes=6,
        floor=Decimal("8.00"),
        fee_percent=Decimal("0"),
        budget=None,
        complete_url="https://panel.example.org/done?cc={code}&who={participant}",
        screened_url="",
        codes={},
    )
    return replace(study, **changes)


def prolific_study(groups: tuple[Group, ...], **changes: Any) -> Study:
    """A study on Prolific: its codes are made, its draft has an id."""
    return link_study(
        groups,
        key="faces",
        profile="prolific",
        source="prolific",
        signed="study",
        fee_percent=Decimal("33.3"),
        complete_url="https://app.prolific.com/submissions/complete?cc={code}",
        screened_url="https://app.prolific.com/submissions/complete?cc={code}",
        codes={"COMPLETED": "CDONE1", "NO_CONSENT": "CNOTHX", "NO_WORK": "CEMPTY"},
        panel_id="64f0a1b2c3d4e5f60718293a",
        **changes,
    )


def two_hits(bench: Bench, places: int = 9, **changes: Any) -> Group:
    """A group of two HITs, which so many people may do."""
    bench.hit(MaxAssignments=places, **changes)
    return Group(bench.hit(MaxAssignments=places, **changes)["HITGroupId"], places)


def published(bench: Bench, study: Study) -> Recruiting:
    """The study, open to who comes."""
    office = Recruiting(bench.market.store)
    office.add_study(study)
    office.change_study(study.key, status="published")
    return office


def given(link: str, **filled: str) -> dict[str, str]:
    """What a link hands over, with the panel's placeholders filled in."""
    return {**dict(parse_qsl(urlsplit(link).query)), **filled}


def visit(link: str, truth: SampleTruth, *, name: str = "visitor", pages: int = 99) -> str:
    """Follow a link to the end as a person without JavaScript would; the address that leads back to the panel, "" where
    the visitor went away after `pages`."""
    browser, profile = Browser(), Profile(name, reason_right=1.0)
    page = browser.post(_form(browser.get(link), "/enter"))
    for _ in range(pages):
        if page.form("/finish"):
            page = browser.post(_form(page, "/finish"))
            found = re.search(r'href="([^"]+)" rel="noreferrer"', page.html)
            return html.unescape(found[1]) if found else ""
        work = browser.post(_form(page, "/next"))
        task = read_task(browser.frame(work.frames[0]))
        assert task is not None
        fields = [(key, value) for key, value in task.form.hidden() if key != "elapsed"]
        for number, tile in enumerate(task.tiles):
            seen = truth.find(browser.picture(tile.picture))
            fields.append((tile.name, answer(profile, seen, tile.values, random.Random(number))))
        assert browser.submit(task.form, fields).status == 200
        page = browser.get(f"{work.url}/after")
        page = browser.get(urljoin(work.url, "/recruit/"))
    return ""


def _form(page: Page, ending: str) -> Form:
    form = page.form(ending)
    assert form is not None, (page.status, page.said)
    return form


def truth_of(app: App) -> SampleTruth:
    """Every fourth face of side A is no face, as `answer_everything` has it."""
    entries = []
    for number, face in enumerate(app.store.faces(Side.A, rejected=True)):
        path = face_file(app.workspace, app.store, face.face_id)
        assert path is not None
        bad = number % 4 == 3
        entries.append(
            (worker_jpeg(path), TrueFace("reject" if bad else "keep", "not_a_face" if bad else None, "same"))
        )
    return SampleTruth.of(entries)
