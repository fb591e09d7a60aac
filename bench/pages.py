"""What the requester's pages weigh and how soon they are seen: requests, bytes, first paint beside an empty page's.

    python -m bench.pages            # every page, cold and warm, five looks each
    python -m bench.pages --quick

First paint is the browser's own first-contentful-paint, the median of the looks; it is divided by that of an empty
page from a server that does nothing, looked at in turns, so that a loaded machine slows both. Cold: nothing is cached,
as for somebody who comes the first time. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.stages.report import write_report
from galloway.pipeline.web import create_web_app
from galloway.pipeline.workspace.folder import Workspace
from playwright.sync_api import Browser, Page

from tests.support.served import served
from tests.support.sites import chromium
from tests.support.web import face_id, full_workspace

_DESK = {"width": 1280, "height": 900}
_EMPTY = b"<!doctype html><html lang=en><title>empty</title><p>empty</p>"
_NO_PAGES = ("/static/", "/api/", "/sign", "/health", "/metrics")
_SEEN = """() => {
  const every = performance.getEntries(), one = every.find((entry) => entry.entryType === "navigation");
  const rest = every.filter((entry) => entry.entryType === "resource");
  const paint = every.find((entry) => entry.name === "first-contentful-paint");
  const bytes = [one, ...rest].reduce((sum, entry) => sum + entry.transferSize, 0);
  return [paint ? paint.startTime : null, 1 + rest.length, bytes, one.responseStart];
}"""


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """One page without anything."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(_EMPTY)))
        self.end_headers()
        self.wfile.write(_EMPTY)

    def log_message(self, *_told: object) -> None:
        """Nothing."""


@contextmanager
def empty_page() -> Iterator[str]:
    """The address of a page without anything, on a server of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()


def pages(workspace: Workspace) -> list[str]:
    """The addresses of all pages: those without a name in them, and one of each kind that has."""
    site = create_web_app(workspace)
    client = site.test_client()
    plain = sorted(
        rule.rule for rule in site.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())
    )
    named = [
        "/report/document",
        f"/faces/{face_id(Side.A, 0)}",
        "/training/train-20261122-090500-000000",
        "/batches/abc123-a-usable-r1-0001",
    ]
    found = []
    for path in [*plain, *named]:
        if not path.startswith(_NO_PAGES):
            answer = client.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                found.append(path)
    return found


def look(browser: Browser, link: str, address: str, looks: int, empty: str) -> dict[str, Any]:
    """A page's requests, bytes and first paint, cold and warm, beside an empty page's."""
    told: dict[str, list[list[float]]] = {"empty": [], "cold": [], "warm": []}
    for _ in range(looks):
        context = browser.new_context(viewport=_DESK)  # type: ignore[arg-type]
        page = context.new_page()
        told["empty"].append(_seen(page, empty))
        page.request.get(link)  # signs in
        told["cold"].append(_seen(page, address))
        told["warm"].append(_seen(page, address))
        context.close()
    paints = {way: statistics.median(item[0] for item in seen) for way, seen in told.items()}
    return {
        "requests": int(told["cold"][0][1]),
        "bytes": int(max(item[2] for item in told["cold"])),
        "paint_ms": round(paints["cold"]),
        "ratio": round(paints["cold"] / paints["empty"], 2),
        "ratio_warm": round(paints["warm"] / paints["empty"], 2),
    }


def _seen(page: Page, address: str) -> list[float]:
    page.goto(address, wait_until="load")
    # Asked from outside: what waits inside a page evaluates texts, which the pages' own policy forbids.
    while (seen := page.evaluate(_SEEN))[0] is None:
        page.wait_for_timeout(50)
    return list(seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="four pages, two looks each")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, empty_page() as empty:
        workspace = full_workspace(Path(folder) / "ws", faces=60)
        write_report(App(workspace))
        paths = pages(workspace)[:: 6 if args.quick else 1]
        with served(workspace) as (link, _server):
            base = link.partition("?")[0].rstrip("/")
            addresses = {path: base + path for path in paths}
            rows = {}
            for path, address in addresses.items():
                rows[path] = row = look(browser, link, address, 2 if args.quick else 5, empty)
                weight = f"{row['requests']:3} requests {row['bytes'] / 1000:7.1f} kB"
                paint = f"{row['paint_ms']:5} ms, {row['ratio']:5.2f} × empty (warm {row['ratio_warm']:.2f})"
                print(f"{path:44} {weight}  first paint {paint}", flush=True)
    worst = max(rows, key=lambda path: rows[path]["ratio"])
    print(json.dumps({
        "pages": len(rows), "worst_ratio": rows[worst]["ratio"], "worst": worst,
        "median_ratio": statistics.median(row["ratio"] for row in rows.values()),
        "median_ratio_warm": statistics.median(row["ratio_warm"] for row in rows.values()),
        "most_requests": max(row["requests"] for row in rows.values()),
        "most_bytes": max(row["bytes"] for row in rows.values()),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
