"""From an empty folder to the downloaded film in the studio, in one run in a real browser; and killed at every step.

    python -m bench.studio                       # by mouse: clicks, letters and minutes that waited, by step
    python -m bench.studio --by keyboard         # the same by the keyboard alone
    python -m bench.studio --phone               # a window of 390 pixels
    python -m bench.studio --kills window job server --seed 1
    python -m bench.studio --quick               # up to the faces of one side

Two clips of 14 frames of photographs that libraries ship; training lasts six seconds. At each step the window is closed
before anything is sent; then again right behind the press that sends, and the job killed (SIGKILL) a random moment
after it began; then the server a random moment behind the press that sends again. Each time the person comes in by the
link, in a new browser, and goes on by what the pages offer. At the end everything is counted: a source, a face, a vote,
a merge, a training, a film or a download too many or too few is named. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.sites import PHONE, chromium

from .hands import Hands, Keyboard, Mouse
from .walk import BLOWS, Walk
from .way import Shelf

_DESK = {"width": 1280, "height": 900}


def told(hands: Hands, word: str) -> None:
    """What each step took."""
    for step, count in hands.presses.items():
        work, pages = hands.waited.get(step, 0.0), hands.for_pages.get(step, 0.0)
        letters = hands.letters[step]
        print(
            f"{step:13} {count:4} {word}, {letters:4} letters, waited {work:6.1f} s for work, {pages:5.1f} s for pages"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--by", default="mouse", choices=["mouse", "keyboard"])
    parser.add_argument("--phone", action="store_true", help="390 pixels wide")
    parser.add_argument("--kills", nargs="+", default=[], choices=BLOWS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        shelf = Shelf(Path(folder) / "shelf")
        kind = Mouse if args.by == "mouse" else Keyboard
        size = PHONE if args.phone else _DESK
        walk = Walk(shelf, browser.browser_type, kind, random.Random(args.seed), args.kills, size)  # type: ignore[arg-type]
        began = time.monotonic()
        with walk:
            walk.go("faces a" if args.quick else "")
            found = [] if args.quick else shelf.wrong()
        took, hands = time.monotonic() - began, walk.at_work
        told(hands, "clicks" if kind is Mouse else "keys")
        for step, blows in walk.met.items():
            print(f"struck while it was not done: {step}: {', '.join(f'{who} {n}' for who, n in blows.items())}")
        for line in found:
            print(f"WRONG {line}")
        print(json.dumps({
            "by": args.by, "width": size["width"], "presses": hands.presses.total(), "letters": hands.letters.total(),
            "minutes_waited": round(sum(hands.waited.values()) / 60, 2),
            "minutes_for_pages": round(sum(hands.for_pages.values()) / 60, 2), "minutes": round(took / 60, 2),
            "struck": dict(walk.struck), "not_done_then": sum(map(Counter.total, walk.met.values())), "wrong": found,
        }))  # fmt: skip


if __name__ == "__main__":
    main()
