"""The sites whose pages are looked at, each served as it is run, and furnished so that no page is empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from typing import Any

from galloway.curation.types import PageKind, Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import Picture
from galloway.pipeline.projects.project import Terms, make_project
from galloway.pipeline.projects.sheets import keep_sheet
from galloway.pipeline.stages.report import write_report
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member
from playwright.sync_api import Browser, Page

from bench.pages import pages
from tests.support.judged import film_app
from tests.support.marketplace import html_question
from tests.support.served import served, studio
from tests.support.sites import picture, site
from tests.support.tasks import grid_task
from tests.support.web import full_workspace

__all__ = ["Place", "film", "projects", "requester", "worker"]

Act = Callable[[Page], None]
PASSWORD = "a long enough password"
_MORE = (
    "/projects/birds", "/projects/birds/edit", "/projects/birds/results", "/projects/birds/votes",
    "/faces?status=disputed", "/faces?side=a&person=x", "/none", "/jobs/20261122-090500-0a0b0c",
    "/training/compare?one=train-20261122-090500-000000&other=train-20261122-090600-000000",
)  # fmt: skip
_WORK = (
    "/", "/account", "/account/checks", "/settings/keys", "/earnings", "/history", "/messages", "/qualifications",
    "/none",
)  # fmt: skip


@dataclass
class Place:
    """A site: its pages before anybody signed in, those behind the door, and what is done on some of them before a
    further look. `link` or `cookies` open the door."""

    name: str
    before: dict[str, str]
    pages: dict[str, str]
    link: str = ""
    cookies: list[dict[str, Any]] = field(default_factory=list)
    states: dict[str, tuple[str, Act]] = field(default_factory=dict)
    """Name → the address, and what is done there."""


def furnished(folder: Path) -> Workspace:
    """A workspace in the middle of the work, with something on the pages that are empty in most."""
    workspace = full_workspace(folder, faces=60)
    terms = Terms(title="A bird?", description="Look", assignments=2, reward="0.10", seconds=36)
    birds = make_project(workspace, "birds", terms, '<p>${bird}</p><input name="answer" aria-label="Bird">')
    keep_sheet(birds, "birds.csv", b"bird;place\nFink;Lund\n")
    job = workspace.path("jobs", "20261122-090500-0a0b0c", "job.json")
    job.parent.mkdir(parents=True, exist_ok=True)
    asked = {"kind": "train", "choices": {"minutes": "3"}, "files": [], "by": "Ann"}
    job.write_text(json.dumps(asked | {"started_at": "2026-11-22T09:05:00+00:00"}), encoding="utf-8")
    write_report(App(workspace))
    runs = workspace.root / "runs"
    copytree(runs / "train-20261122-090500-000000", runs / "train-20261122-090600-000000")
    add_member(workspace.root, "Ann Lee", Role.DECIDE, PASSWORD)
    return workspace


def requester(folder: Path, stack: ExitStack) -> Place:
    """A workspace in the middle of the work."""
    workspace = furnished(folder / "ws")
    link, base = _served(stack, workspace)
    found = {path: base + path for path in (*pages(workspace), *_MORE)}
    states: dict[str, tuple[str, Act]] = {
        "one face large": (f"{base}/faces", _large),
        "faces marked": (f"{base}/faces", _marked),
        "faces decided": (f"{base}/faces", _decided),
        "faces sifted": (f"{base}/faces?pose=front", lambda page: None),
        "faces, none fit": (f"{base}/faces?sharp=sharp", lambda page: None),
        "map, by keys": (f"{base}/faces/map?side=a", _by_keys),
        "faces in a line": (f"{base}/faces?side=a&lasso=0,0,1000,0,1000,1000,0,1000", lambda page: None),
        "team, changing": (f"{base}/team", lambda page: page.locator("details.drop summary").first.click()),
        "team, let in": (f"{base}/team", _fill({"name": "Ben"}, "Make a password")),
        "team, there already": (f"{base}/team", _fill({"name": "ann lee"}, "Make a password")),
        "settings, wrong keys": (f"{base}/settings", _wrong_keys),
        "a project, wrong": (f"{base}/projects/new", _wrong_project),
        "a study": (f"{base}/recruits/", lambda page: page.locator("summary").first.click()),
        "a wrong password": (f"{base}/sign-in", _fill({"name": "Ann Lee", "password": "wrong"}, "Sign in")),
    }
    return Place("", {"sign in": f"{base}/sign-in", "door": f"{base}/faces"}, found, link, states=states)


def film(folder: Path, stack: ExitStack) -> Place:
    """A workspace with a film that was measured, nobody asked yet."""
    app, made = film_app(folder / "film")
    link, base = _served(stack, app.workspace)
    paths = (f"/judge/{made.name}", f"/judge/{made.name}/publish", "/mask/a/clipa",
             "/publish", "/merge", "/footage/a/clipa/remove", "/people", "/facesets")  # fmt: skip
    states: dict[str, tuple[str, Act]] = {
        "review, a name": (f"{base}/review", lambda page: None),
        "a film, a name": (f"{base}/judge/{made.name}/next", lambda page: None),
        "review, a page": (f"{base}/review", _fill({"by": "Ann"}, "Begin")),
        "a film reviewed": (f"{base}/judge/{made.name}/next", _begun),
        "a mask": (f"{base}/mask/a/clipa", _mask),
        "wiped": (f"{base}/judge/{made.name}", _wiped),
    }
    return Place("film ", {}, {path: base + path for path in paths}, link, states=states)


def projects(folder: Path, stack: ExitStack) -> Place:
    """The studio, with a project that was just made."""
    make_workspace(folder / "shelf" / "swap", "swap")
    link, _server = stack.enter_context(studio(folder / "shelf"))
    base = link.partition("?")[0].rstrip("/")
    door = f"/w/swap/?{link.partition('?')[2]}"
    paths = ("/", "/machine", door, "/w/swap/footage", "/w/swap/training", "/w/swap/publish", "/w/swap/faces",
             "/w/none/", "/w/swap/team", "/settings")  # fmt: skip
    states: dict[str, tuple[str, Act]] = {
        "a name that is taken": (f"{base}/", _fill({"name": "swap"}, "Make it")),
        "a path that is not there": (f"{base}/w/swap/footage", _no_path),
    }
    found = {path.partition("?")[0]: base + path for path in paths}
    return Place("studio ", {"door": f"{base}/"}, found, link, states=states)


def worker(folder: Path, stack: ExitStack, browser: Browser) -> Place:
    """The worker site, for somebody who joined and holds a page."""
    market = stack.enter_context(site(folder / "market"))
    task = grid_task(PageKind.IDENTITY, Side.B, references=[Picture(picture("navy"), picture("navy", 400))])
    hit = market.publish(html_question(render_hit(task)))
    context = browser.new_context()
    page = context.new_page()
    market.join(page, "ann")
    held = market.accept(page, hit)
    base = market.addresses.worker
    group = market.client.get_hit(HITId=hit)["HIT"]["HITGroupId"]
    cookies = list(context.cookies())
    context.close()
    found = {path: base + path for path in _WORK}
    found |= {"preview": f"{base}/projects/{group}/tasks", "at work": f"{base}/work/{held}"}
    states: dict[str, tuple[str, Act]] = {
        "a wrong password": (f"{base}/account", _worker_password),
        "keys twice": (f"{base}/settings/keys", _worker_keys),
    }
    joining = market.invite()
    before = {"join": joining, "sign in": f"{base}/sign-in", "a stale invite": f"{base}/join/none"}
    return Place("worker ", before, found, cookies=cookies, states=states)  # type: ignore[arg-type]


def _served(stack: ExitStack, workspace: Workspace) -> tuple[str, str]:
    link, _server = stack.enter_context(served(workspace))
    return link, link.partition("?")[0].rstrip("/")


def _fill(fields: dict[str, str], button: str) -> Act:
    def act(page: Page) -> None:
        for name, text in fields.items():
            page.locator(f"main [name={name}]").last.fill(text)
        page.get_by_role("button", name=button).last.click()
        page.wait_for_load_state()

    return act


def _begun(page: Page) -> None:
    """The review's first page; who reviews is asked once for faces and films."""
    if page.locator("main [name=by]").count():
        _fill({"by": "Ann"}, "Begin")(page)
    page.locator("[name^='moment.']").first.wait_for(state="attached")


def _grid(page: Page) -> None:
    page.locator(".sky .tile").first.wait_for()
    page.locator(".sky").focus()


def _large(page: Page) -> None:
    _grid(page)
    page.keyboard.press("z")
    page.locator("#near[open] img.whole, #near[open] img").first.wait_for()


def _marked(page: Page) -> None:
    _grid(page)
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")


def _decided(page: Page) -> None:
    _marked(page)
    page.locator(".signed [name=note]").fill("it is her")
    page.locator(".signed [name=by]").fill("Ann")
    page.locator(".sky").focus()
    page.keyboard.press("1")
    page.locator("#standing button").first.wait_for()


def _by_keys(page: Page) -> None:
    page.locator("canvas").focus()
    for key in ("ArrowRight", "ArrowDown", "+"):
        page.keyboard.press(key)


def _wrong_keys(page: Page) -> None:
    page.locator("[name=keys][value=own]").check()
    page.locator("[name=key-all]").fill("k")
    page.get_by_role("button", name="Save").click()
    page.locator("[role=alert]").wait_for()


def _wrong_project(page: Page) -> None:
    for name, text in (("name", "finches"), ("title", "Which?"), ("template", "<p>${</p>")):
        page.locator(f"main [name={name}]").first.fill(text)
    page.locator("main button.main").last.click()
    page.wait_for_load_state()


def _mask(page: Page) -> None:
    box = page.locator("#draw-box")
    box.scroll_into_view_if_needed()
    corner = box.bounding_box()
    assert corner is not None
    page.mouse.move(corner["x"] + 20, corner["y"] + 20)
    page.mouse.down()
    page.mouse.move(corner["x"] + 90, corner["y"] + 80)
    page.mouse.up()


def _wiped(page: Page) -> None:
    page.locator("#wipe:not([hidden])").wait_for()
    page.keyboard.press(".")
    page.keyboard.press("i")


def _no_path(page: Page) -> None:
    page.locator("[name=path]").fill("/none/clip.mp4")
    page.locator("[name=side][value=a]").check()
    page.locator("[name=basis][value=own]").check()
    page.get_by_role("button", name="Take it in").click()
    page.locator("[role=alert]").wait_for()


def _worker_password(page: Page) -> None:
    for field_, text in zip(
        page.locator("form:has-text('Change it') input[type=password]").all(), ("no", "long enough"), strict=True
    ):
        field_.fill(text)
    page.get_by_role("button", name="Change it").click()
    page.wait_for_load_state()


def _worker_keys(page: Page) -> None:
    page.locator("[name=keys][value=own]").check()
    page.locator("main input[name^=key-]").first.fill("z")
    page.get_by_role("button", name="Keep").click()
    page.locator("[role=alert]").wait_for()
