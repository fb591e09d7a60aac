"""How often the gate holds a picture that is not sexual: false alarms, by set, the worst named.

    python -m bench.gate                           # on pictures that packages ship, and on made ones
    python -m bench.gate FOLDER --faces            # on a folder of face crops, at the bar for faces
    python -m bench.gate FOLDER --labels labels.csv

Sets are the subfolders of FOLDER, or the column `set` of a table with a column `file`. What the model misses is not
measured: no such pictures are kept here. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import skimage
from galloway.curation.errors import FacesetError
from galloway.curation.pictures import open_picture
from galloway.curation.screen.explicit import explicit_score
from galloway.pipeline.workspace.settings import GateSettings
from PIL import Image, ImageFilter

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".gif")
Named = tuple[str, str, Image.Image]


def of_folder(folder: Path, labels: Path | None) -> Iterator[Named]:
    """(set, name, picture) of every picture that opens."""
    sets = {}
    if labels is not None:
        with labels.open(encoding="utf-8", newline="") as table:
            sets = {Path(row["file"]).name: row["set"] for row in csv.DictReader(table)}
    for path in sorted(item for item in folder.rglob("*") if item.suffix.lower() in _SUFFIXES):
        own = path.parent.name if path.parent != folder else folder.name
        try:
            yield sets.get(path.name, own), path.name, open_picture(path, gif=True)
        except FacesetError:
            print(f"  not opened: {path.name}")


def made(count: int) -> Iterator[Named]:
    """Flat, noisy and blotched pictures, in colours from all over and in those of skin."""
    rng = np.random.default_rng(5)
    for number in range(count):
        skin = number % 2 == 0
        colour = rng.integers((150, 90, 60), (250, 200, 170)) if skin else rng.integers(0, 256, 3)
        noise = rng.normal(0, 12 + 40 * (number % 3), (96, 96, 3))
        picture = Image.fromarray(np.clip(colour + noise, 0, 255).astype(np.uint8))
        kind = "made, colours of skin" if skin else "made, other colours"
        yield kind, f"made {number}", picture.filter(ImageFilter.GaussianBlur(number % 9))


def shipped() -> Iterator[Named]:
    """What packages ship."""
    for name, folder in (
        ("scikit-image", Path(skimage.__file__).parent / "data"),
        ("matplotlib", Path(mpl.get_data_path()) / "sample_data"),
    ):
        yield from ((name, item, picture) for _, item, picture in of_folder(folder, None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--faces", action="store_true", help="close crops of faces: the bar for these")
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    bar = GateSettings().bar("face" if args.faces else "picture")
    pictures = of_folder(args.folder, args.labels) if args.folder else (*shipped(), *made(20 if args.quick else 200))
    scores: dict[str, list[tuple[float, str]]] = defaultdict(list)
    started = time.process_time()
    for which, name, picture in pictures:
        scores[which].append((explicit_score(picture), name))
    seconds = time.process_time() - started
    sets = {}
    for which, found in sorted(scores.items()):
        held, worst = sum(score >= bar for score, _ in found), max(found)
        sets[which] = {"pictures": len(found), "held": held, "worst": round(worst[0], 3), "worst_name": worst[1]}
        print(f"{which}: {held} of {len(found)} held at {bar}; the likeliest is {worst[1]}, {worst[0]:.3f}")
    total = sum(map(len, scores.values()))
    held = sum(item["held"] for item in sets.values() if isinstance(item["held"], int))
    share = held / total if total else 0.0
    print(json.dumps({"bar": bar, "pictures": total, "held": held, "share": round(share, 4), "sets": sets,
                      "seconds_a_picture": round(seconds / max(total, 1), 4)}))  # fmt: skip


if __name__ == "__main__":
    main()
