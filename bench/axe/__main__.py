"""Does every page keep to the rules of accessibility? axe-core on all, light and dark, at a desk and on a phone.

    python -m bench.axe                    # the requester's app, the studio, the worker site
    python -m bench.axe --shots FOLDER     # with a picture of each page in each way
    python -m bench.axe --only TEXT        # pages whose name has TEXT in it
    python -m bench.axe --quick            # every sixth page

The requester's workspace is in the middle of the work, with a labelling project, a job and two trainings beside it; a
second one has a film that was measured, footage to mask and a round to publish. Beside the pages as they come: one face
large, faces marked and decided, a selection on the map, forms sent with what is wrong, a page of the review. The
agreement report's document is looked at by itself. A violation is one rule that a page breaks; a page that is wider
than its window counts as one, and so does one that could not be brought about. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.support.sites import PHONE, chromium

from .places import Act, Place, film, projects, requester, worker

_DESK = {"width": 1280, "height": 900}
_WAYS = [(theme, width) for theme in ("light", "dark") for width in ("desk", "phone")]
_DOCUMENT = "/report/document"


def looks_of(place: Place) -> Iterator[tuple[str, str, Act | None]]:
    """Each look at a place that is signed in to: name, address, what is done there first."""
    for name, address in place.pages.items():
        yield f"{place.name}{name}", address, None
    for name, (address, act) in place.states.items():
        yield f"{place.name}{name}", address, act


def open_page(page: Page, name: str, address: str, act: Act | None) -> None:
    """Bring a page about."""
    if name == _DOCUMENT:
        # Its policy lets no script run, axe-core's neither: the same document is looked at without one.
        page.goto("about:blank")
        page.set_content(page.request.get(address).text())
        return
    page.goto(address, wait_until="load")
    if act is not None:
        act(page)


def wrong_with(page: Page, name: str) -> Iterator[str]:
    """What is wrong with a page, rule by rule."""
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        yield f"{name}: wider than the window"
    found = Axe().run(page).response
    if not found["passes"]:
        yield f"{name}: axe-core looked at nothing"
    for item in found["violations"]:
        yield f"{name}: {item['id']}, {len(item['nodes'])} times, first {item['nodes'][0]['target']}"


def sign_in(context: BrowserContext, page: Page, place: Place) -> None:
    """Open a place's door."""
    if place.link:
        page.request.get(place.link)
    context.add_cookies(place.cookies)  # type: ignore[arg-type]


class Looker:
    """Looks at pages one after the other, and keeps what was found."""

    def __init__(self, shots: Path | None, only: str, every: int) -> None:
        self.shots, self.only, self.every = shots, only, every
        self.number = self.looks = 0
        self.found: list[str] = []

    def look(self, page: Page, way: tuple[str, str], name: str, address: str, act: Act | None) -> None:
        """One look, unless it is left out."""
        self.number += 1
        if self.number % self.every or self.only not in name:
            return
        self.looks += 1
        try:
            open_page(page, name, address, act)
            wrong = list(wrong_with(page, name))
        except Error as error:
            wrong = [f"{name}: {error.message.splitlines()[0]}"]
        wrong = [f"{line} ({', '.join(way)})" for line in wrong]
        self.found += wrong
        print("\n".join(wrong) or f"{name} ({', '.join(way)}): nothing", flush=True)
        if self.shots:
            self.shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=self.shots / f"{self.number:03}-{'-'.join(way)}.png", full_page=True)

    def look_at_all(self, browser: Browser, places: list[Place]) -> None:
        """Every place in every way."""
        for way in _WAYS:
            self.number = 0
            for place in places:
                size = _DESK if way[1] == "desk" else PHONE
                context = browser.new_context(viewport=size, color_scheme=way[0])  # type: ignore[arg-type]
                page = context.new_page()
                for name, address in place.before.items():
                    self.look(page, way, f"{place.name}{name}", address, None)
                sign_in(context, page, place)
                for name, address, act in looks_of(place):
                    self.look(page, way, name, address, act)
                context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=Path, metavar="FOLDER")
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    looker = Looker(args.shots, args.only, 6 if args.quick else 1)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(chromium())
        places = [
            requester(folder, stack),
            film(folder, stack),
            projects(folder, stack),
            worker(folder, stack, browser),
        ]
        looker.look_at_all(browser, places)
    print(json.dumps({
        "pages": looker.number, "looks": looker.looks, "violations": len(looker.found), "found": looker.found,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
