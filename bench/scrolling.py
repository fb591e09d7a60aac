"""How smoothly does the grid of faces scroll at 100,000? Frame times in a real browser, beside a page without anything.

    python -m bench.scrolling [--sizes 1000 100000] [--seconds 6] [--folder FOLDER]
    python -m bench.scrolling --quick

The workspace is made of rows (`bench.scale --rows`; `--folder` keeps it), pictures are one JPEG that the browser gets
for each, so that what is measured is the grid and its server. The pane is scrolled by 40 pixels a frame, then by 400,
and the browser's own requestAnimationFrame says when each frame came; then the pane jumps to places all over it, and
it is counted until the faces there are seen. An empty page is asked for frames in the same run: on a loaded machine
its frames are late, too. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Route

from bench.scale import opened
from tests.support.served import served
from tests.support.sites import chromium

_LATE = 1000 / 30
"""A frame that took longer is seen as a jerk."""
_FRAMES = """([step, seconds]) => new Promise((done) => {
  const pane = document.querySelector(".pane"), times = [], began = performance.now();
  let before = began, way = step;
  const frame = (now) => {
    times.push(now - before);
    before = now;
    if (pane) {
      if (pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 2) way = -step;
      pane.scrollTop += way;
    }
    if (now - began < 1000 * seconds) requestAnimationFrame(frame); else done(times.slice(2));
  };
  requestAnimationFrame(frame);
})"""
_JUMP = """(share) => new Promise((done) => {
  const pane = document.querySelector(".pane"), began = performance.now();
  pane.scrollTop = share * (pane.scrollHeight - pane.clientHeight);
  const seen = () => {
    const box = pane.getBoundingClientRect();
    const here = [...pane.querySelectorAll(".tile")].filter((tile) => {
      const at = tile.getBoundingClientRect();
      return at.bottom > box.top && at.top < box.bottom;
    });
    const there = here.length > 0 && here.every((tile) => !tile.classList.contains("coming"));
    if (there || performance.now() - began > 20000) done(performance.now() - began); else requestAnimationFrame(seen);
  };
  requestAnimationFrame(() => requestAnimationFrame(seen));
})"""


def told(times: Sequence[float]) -> dict[str, Any]:
    """Frames in milliseconds."""
    ordered = sorted(times)
    return {
        "frames": len(ordered), "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)], 1), "worst": round(ordered[-1], 1),
        "late": round(sum(one > _LATE for one in ordered) / len(ordered), 3),
    }  # fmt: skip


def scroll(page: Page, link: str, seconds: float, jumps: int, chance: random.Random) -> dict[str, Any]:
    """The grid of a workspace: slowly, quickly, and in jumps."""
    page.goto(link)
    page.goto(f"{link.partition('?')[0].rstrip('/')}/faces?status=all")
    page.locator(".pane .tile").nth(8).wait_for()
    found: dict[str, Any] = {"slow": told(page.evaluate(_FRAMES, [40, seconds]))}
    found["fast"] = told(page.evaluate(_FRAMES, [400, seconds]))
    found["jump"] = told([page.evaluate(_JUMP, chance.random()) for _ in range(jumps)])
    found["nodes"] = page.evaluate("document.querySelectorAll('.pane .tile').length")
    return found


def picture() -> bytes:
    """A crop as pages show one."""
    out = io.BytesIO()
    Image.effect_noise((128, 128), 60).convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=(1_000, 100_000))
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--jumps", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="600 and 3,000 faces, a second each")
    args = parser.parse_args()
    if args.quick:
        args.sizes, args.seconds, args.jumps = (600, 3_000), 1.0, 4
    crop, figures = picture(), {}

    def show(route: Route) -> None:
        route.fulfill(body=crop, content_type="image/jpeg")

    with tempfile.TemporaryDirectory() as made_here, chromium() as browser:
        for size in args.sizes:
            app = opened(args.folder or Path(made_here), size, 1, rows=True)
            app.workspace.db.dispose()
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.route("**/pictures/**", show)
            page.goto("about:blank")
            empty = told(page.evaluate(_FRAMES, [0, args.seconds]))
            with served(app.workspace) as (link, _server):
                figures[size] = {"empty": empty, **scroll(page, link, args.seconds, args.jumps, random.Random(size))}
            page.close()
            for name, found in figures[size].items():
                print(f"{size:>9,} {name:6} {found}", flush=True)
    last = figures[args.sizes[-1]]
    print(json.dumps({"faces": args.sizes[-1], "ratio": round(last["slow"]["p95"] / last["empty"]["p95"], 2), **last}))


if __name__ == "__main__":
    main()
