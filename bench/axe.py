"""Does every page keep to the rules of accessibility? axe-core on all, light and dark, at a desk and on a phone.

    python -m bench.axe                    # the requester's app, the studio, the worker site
    python -m bench.axe --shots FOLDER     # with a picture of each page in each way
    python -m bench.axe --quick            # every sixth page

The requester's workspace is in the middle of the work, with a labelling project, a job and two trainings beside it; the
agreement report's document is looked at by itself. A violation is one rule that a page breaks; a page that is wider
than its window counts as one, too. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree

from axe_playwright_python.sync_playwright import Axe
from galloway.curation.types import PageKind, Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import Picture
from galloway.pipeline.projects.project import Terms, make_project
from galloway.pipeline.projects.sheets import keep_sheet
from galloway.pipeline.stages.report import write_report
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace
from playwright.sync_api import Browser, Page

from bench.pages import pages
from tests.support.marketplace import html_question
from tests.support.served import served, studio
from tests.support.sites import PHONE, chromium, picture, site
from tests.support.tasks import grid_task
from tests.support.web import full_workspace

_DESK = {"width": 1280, "height": 900}
_WAYS = [(theme, width) for theme in ("light", "dark") for width in ("desk", "phone")]
_DOCUMENT = "/report/document"
_MORE = (
    "/mask/a/clip", "/judge/clip-swapped.mp4", "/projects/birds", "/projects/birds/edit",
    "/projects/birds/results", "/projects/birds/votes", "/faces?status=disputed", "/faces?side=a&person=x", "/none",
    "/jobs/20261122-090500-0a0b0c",
    "/training/compare?one=train-20261122-090500-000000&other=train-20261122-090600-000000",
)  # fmt: skip
_WORK = (
    "/",
    "/account",
    "/account/checks",
    "/settings/keys",
    "/earnings",
    "/history",
    "/messages",
    "/qualifications",
    "/none",
)


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
    return workspace


def requester(folder: Path, stack: ExitStack) -> tuple[str, dict[str, str]]:
    """The link into a workspace, and its pages: name → address. The first is its door."""
    workspace = furnished(folder / "ws")
    link, _server = stack.enter_context(served(workspace))
    base = link.partition("?")[0].rstrip("/")
    return link, {"door": f"{base}/faces"} | {path: base + path for path in (*pages(workspace), *_MORE)}


def projects(folder: Path, stack: ExitStack) -> tuple[str, dict[str, str]]:
    """The same of the studio, with a project that was just made."""
    make_workspace(folder / "shelf" / "swap", "swap")
    link, _server = stack.enter_context(studio(folder / "shelf"))
    base = link.partition("?")[0].rstrip("/")
    door = f"/w/swap/?{link.partition('?')[2]}"
    paths = ("/", "/machine", door, "/w/swap/footage", "/w/swap/training", "/w/swap/publish", "/w/swap/faces")
    return link, {"studio door": f"{base}/"} | {f"studio {path.partition('?')[0]}": base + path for path in paths}


def worker(folder: Path, stack: ExitStack, browser: Browser) -> tuple[dict[str, str], list[dict[str, object]]]:
    """The worker site's pages, and the cookies of somebody who joined and holds a page."""
    market = stack.enter_context(site(folder / "market"))
    task = grid_task(PageKind.IDENTITY, Side.B, references=[Picture(picture("navy"), picture("navy", 400))])
    hit = market.publish(html_question(render_hit(task)))
    context = browser.new_context()
    page = context.new_page()
    market.join(page, "ann")
    held = market.accept(page, hit)
    base = market.addresses.worker
    group = market.client.get_hit(HITId=hit)["HIT"]["HITGroupId"]
    cookies = context.cookies()
    context.close()
    found = {f"worker {path}": base + path for path in _WORK}
    found |= {"worker preview": f"{base}/projects/{group}/tasks", "worker at work": f"{base}/work/{held}"}
    return {"worker, join": market.invite(), "worker, sign in": f"{base}/sign-in", **found}, list(cookies)  # type: ignore[arg-type]


def looked_at(page: Page, name: str, address: str) -> Iterator[str]:
    """What is wrong with a page, rule by rule."""
    if name == _DOCUMENT:
        # Its policy lets no script run, axe-core's neither: the same document is looked at without one.
        page.goto("about:blank")
        page.set_content(page.request.get(address).text())
    else:
        page.goto(address, wait_until="load")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        yield f"{name}: wider than the window"
    found = Axe().run(page).response
    if not found["passes"]:
        yield f"{name}: axe-core looked at nothing"
    for item in found["violations"]:
        yield f"{name}: {item['id']}, {len(item['nodes'])} times, first {item['nodes'][0]['target']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=Path, metavar="FOLDER")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    found, looks = [], 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(chromium())
        sites = [requester(folder, stack), projects(folder, stack)]
        of_work, cookies = worker(folder, stack, browser)
        for theme, width in _WAYS:
            size = _DESK if width == "desk" else PHONE
            context = browser.new_context(viewport=size, color_scheme=theme)  # type: ignore[arg-type]
            page, number = context.new_page(), 0
            for link, addresses in [*sites, ("", of_work)]:
                for place, (name, address) in enumerate(addresses.items()):
                    if place == 1 and link:
                        page.request.get(link)  # signs in
                    if name == "worker /":
                        context.add_cookies(cookies)  # type: ignore[arg-type]
                    number += 1
                    if place > 1 and args.quick and number % 6:
                        continue
                    looks += 1
                    wrong = [f"{line} ({theme}, {width})" for line in looked_at(page, name, address)]
                    found += wrong
                    print("\n".join(wrong) or f"{name} ({theme}, {width}): nothing", flush=True)
                    if args.shots:
                        args.shots.mkdir(parents=True, exist_ok=True)
                        page.screenshot(path=args.shots / f"{number:02}-{theme}-{width}.png", full_page=True)
            context.close()
    print(json.dumps({"pages": number, "looks": looks, "violations": len(found), "found": found}))


if __name__ == "__main__":
    main()
