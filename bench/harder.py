"""Faces lost by following them, against a whole search of every frame, on films that are harder than clips are.

    python -m bench.harder CLIPS [--film NAME ...] [--keep FOLDER]

CLIPS is a folder with clips of one person each and `multi_person_D.mp4`, a crowd. Films of a few hundred frames are
made of them: shots of 3 to 22 frames (`cuts`), cross-fades (`fade`), people who move across each other (`cross`), two
frames of three left out of the crowd (`fast`), a zoom into it with a pan (`zoom`), a pan beyond a face (`pan`). A row a
film: faces of the whole search with a score of .35 and more ("sure") and below ("faint") that are not found by
`embedded.follow`, how many frames it searched whole, and processor seconds a frame of both.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from galloway.pipeline.engines.embedded.detect import OVERLAP, FaceFinder, Found, overlap
from galloway.pipeline.engines.embedded.follow import follow
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import VideoWriter
from galloway.pipeline.engines.frames import PICTURE_RATE, open_source
from numpy.typing import NDArray
from PIL import Image

RGB = NDArray[np.uint8]
Makes = Callable[["Clips", random.Random], Iterator[RGB]]

CROWD = "multi_person_D"
SURE = 0.35
LEAST = 20
"""Smaller faces are not kept by extraction either."""
WIDTH, HEIGHT = 640, 360


@dataclass
class Clips:
    """The clips of a folder, each read when it is first wanted."""

    folder: Path
    read: dict[str, list[RGB]] = field(default_factory=dict)

    def names(self) -> list[str]:
        """All but the longest, which would fill the memory."""
        return sorted(path.stem for path in self.folder.glob("*.mp4") if path.stem != "pair2_B")

    def frames(self, name: str) -> list[RGB]:
        """The first 300 frames of a clip at the films' size."""
        if name not in self.read:
            some = islice(open_source(self.folder / f"{name}.mp4").read(), 300)
            self.read[name] = [filling(frame.image, WIDTH, HEIGHT) for frame in some]
        return self.read[name]


def filling(picture: RGB, width: int, height: int) -> RGB:
    """The picture as it fills a frame of that size, cut around its middle and nearer to its top."""
    one = Image.fromarray(picture)
    scale = max(width / one.width, height / one.height)
    size = max(width, round(one.width * scale)), max(height, round(one.height * scale))
    one = one.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
    left, top = (one.width - width) // 2, (one.height - height) // 3
    return np.asarray(one.crop((left, top, left + width, top + height)))


def cuts(clips: Clips, chance: random.Random, total: int = 320) -> Iterator[RGB]:
    """Shots of 3 to 22 frames, some of them ending on a picture that stands still."""
    made = 0
    while made < total:
        frames, count = clips.frames(chance.choice(clips.names())), chance.randint(3, 22)
        start = chance.randrange(len(frames) - count)
        shot = frames[start : start + count]
        if chance.random() < 0.2:
            shot += [np.roll(shot[-1], chance.randrange(WIDTH), axis=1) // 2] * chance.randint(2, 6)
        made += len(shot)
        yield from shot


def fade(clips: Clips, chance: random.Random) -> Iterator[RGB]:
    """Nine cross-fades of 5 to 20 frames."""
    for _ in range(9):
        one, two = (clips.frames(chance.choice(clips.names())) for _ in range(2))
        count, before = chance.randint(5, 20), chance.randint(4, 12)
        first, last = (chance.randrange(len(frames) - count - 12) for frames in (one, two))
        yield from one[first : first + before]
        for step in range(count):
            share = step / count
            yield (one[first + step] * (1 - share) + two[last + step] * share).astype(np.uint8)


def cross(clips: Clips, chance: random.Random, total: int = 200) -> Iterator[RGB]:
    """Four people who cross before a wall."""
    width, height = 2 * WIDTH, 2 * HEIGHT
    wall = np.asarray(Image.fromarray(clips.frames(CROWD)[60]).resize((40, 24)).resize((width, height)))
    people = [
        (
            clips.frames(name), chance.randint(180, 420), chance.uniform(0, width), chance.uniform(0, height / 2),
            chance.uniform(8, 30) * chance.choice([-1, 1]),
        )
        for name in chance.sample([name for name in clips.names() if name != CROWD], 4)
    ]  # fmt: skip
    for number in range(total):
        picture = wall.copy()
        for frames, side, x, y, step in people:
            head = filling(frames[number % len(frames)], side, side)
            left, top = int((x + step * number) % (width + side)) - side, min(int(y), height - side)
            low, high = max(left, 0), min(left + side, width)
            if high > low:
                picture[top : top + side, low:high] = head[:, low - left : high - left]
        yield picture


def fast(clips: Clips, _chance: random.Random) -> Iterator[RGB]:
    """Every third frame of the crowd."""
    yield from clips.frames(CROWD)[::3]


def zoom(clips: Clips, _chance: random.Random) -> Iterator[RGB]:
    """The crowd enlarged, the camera moving over it."""
    for number, frame in enumerate(clips.frames(CROWD)[36:96]):
        left, top = 120 + 110 * np.cos(number / 7), 70 + 60 * np.sin(number / 9)
        box = (left, top, left + WIDTH / 1.6, top + HEIGHT / 1.6)
        yield np.asarray(Image.fromarray(frame).resize((960, 540), Image.Resampling.BICUBIC, box))


def pan(clips: Clips, _chance: random.Random) -> Iterator[RGB]:
    """Every third frame of somebody who leaves a large picture to the left and to the right."""
    for number, frame in enumerate(islice(open_source(clips.folder / "pair1_A.mp4").read(), 0, None, 3)):
        left = int(320 + 300 * np.sin(number / 5))
        yield frame.image[110:610, left : left + 640]


FILMS: dict[str, Makes] = {"cuts": cuts, "fade": fade, "cross": cross, "fast": fast, "zoom": zoom, "pan": pan}


def main() -> None:
    """Make the films, print a row each; the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--film", choices=tuple(FILMS), action="append", help="only this one; repeatable")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the films there, and take those that are there"
    )
    options = parser.parse_args()
    clips, finder = Clips(options.clips), FaceFinder(threads=1)
    figures = {}
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as room:
        for name in options.film or FILMS:
            film = made(Path(room) / f"{name}.mp4", FILMS[name](clips, random.Random(2)))
            clips.read.clear()
            figures[name] = judged(film, finder)
            print(f"{name:<6} {_in_words(figures[name])}", flush=True)
    print(json.dumps(figures))


def made(path: Path, pictures: Iterator[RGB]) -> Path:
    """The pictures as a film."""
    if path.is_file():
        return path
    first = next(pictures)
    height, width = first.shape[:2]
    with VideoWriter(path, width=width, height=height, rate=PICTURE_RATE, encoding=Encoding("h264", 14)) as writer:
        writer.write(first)
        for picture in pictures:
            writer.write(np.ascontiguousarray(picture))
    return path


@dataclass
class Counted:
    """A finder that counts how often it searches a whole frame."""

    finder: FaceFinder
    whole: int = 0

    def search(self, image: RGB, *smaller: int) -> list[Found]:
        """As the finder's."""
        self.whole += not smaller
        return self.finder.search(image, *smaller)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def judged(film: Path, finder: FaceFinder) -> dict[str, float]:
    """What following lost of a film's faces, and what both cost."""
    frames, counted = list(open_source(film).read()), Counted(finder)
    pictures = [frame.image for frame in frames]
    began = time.process_time()
    every = [finder.search(picture) for picture in pictures]
    middle = time.process_time()
    found = [faces for _, faces in follow(iter(frames), counted)]
    figures = {"frames": float(len(frames)), "sure": 0.0, "sure lost": 0.0, "faint": 0.0, "faint lost": 0.0}
    for searched, followed in zip(every, found, strict=True):
        for box, score in searched:
            if min(box[2] - box[0], box[3] - box[1]) >= LEAST:
                kind = "sure" if score >= SURE else "faint"
                figures[kind] += 1
                figures[f"{kind} lost"] += not any(overlap(box, other) > OVERLAP for other, _ in followed)
    costs = {"searching every frame": middle - began, "following": time.process_time() - middle}
    figures |= {name: round(seconds / len(frames), 4) for name, seconds in costs.items()}
    return figures | {"whole searches": float(counted.whole)}


def _in_words(figures: dict[str, float]) -> str:
    kinds = ", ".join(f"{figures[f'{kind} lost']:.0f} of {figures[kind]:.0f} {kind} lost" for kind in ("sure", "faint"))
    return (
        f"{kinds}; {figures['whole searches']:.0f} of {figures['frames']:.0f} frames searched whole;"
        f" {figures['following']:.4f} a frame, a search of every frame {figures['searching every frame']:.4f}"
    )


if __name__ == "__main__":
    main()
