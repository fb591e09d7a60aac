"""Does the occlusion net find what lies before a face? Intersection over union on things and faces that it never saw.

    python -m bench.occlusion [--quick] [--faces-a DIR --faces-b DIR] [--iterations N] [--net FOLDER] [--labels FILE]

Without folders the demo's footage is drawn and its faces are found. Every tenth face is kept back, as training does.
Two kinds of things are put before those: made as training makes them, told by kind and by person, and made here: stars,
rings, letters and crescents with photographs that scikit-image ships as their surface, of which training makes none.
`--net` goes on with a net and keeps it there; `--labels` measures faces of `--faces-a` on which somebody drew what
covers them: JSON, the end of a PNG's name without `.png` to polygons in hundred-and-twentieths of the face's canvas.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage
from galloway.curation.faceset.png.headers import read_png
from galloway.curation.pictures import open_picture
from galloway.pipeline.engines.align import head_matrix, transform_points
from galloway.pipeline.engines.embedded.data import canvas_matrix, load_faces
from galloway.pipeline.engines.embedded.occlusion.faces import Faces, faces_of
from galloway.pipeline.engines.embedded.occlusion.learn import ENOUGH, kept_back, load_taught, overlap_of, teach
from galloway.pipeline.engines.embedded.occlusion.net import SIDE, OcclusionNet, hull_plane
from galloway.pipeline.engines.embedded.occlusion.paste import covered, put_before
from galloway.pipeline.engines.embedded.occlusion.seen import seen_on_canvases
from galloway.pipeline.engines.embedded.occlusion.shapes import KINDS, drawn
from galloway.pipeline.engines.embedded.swapper import AT_ONCE
from galloway.pipeline.engines.evenly import evenly
from galloway.pipeline.judging.covers import coarse, typical
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation, binary_erosion

from bench.swap_sets import prepared

PHOTOGRAPHS = ("brick.png", "gravel.png", "coffee.png", "coins.png", "chelsea.png", "rocket.jpg", "ihc.png")
EXAMINED, OF_A_KIND = 80, 16
"""Faces with unseen things before them, and those of each person with each kind of thing that training makes."""
DRAWN_ON = 120
_SEED = 20261126

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Put = Callable[[int, np.random.Generator], tuple[Bytes, Floats]]


def main() -> None:
    """Parse the command line, teach, measure, print."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        a, b = options.faces_a, options.faces_b
        if a is None or b is None:
            folder = prepared(Path(temporary), None, None, small=options.quick).folder
            a, b = folder / "a", folder / "b"
        told = frozenset(options.told.read_text(encoding="utf-8").split()) if options.told else frozenset()
        polygons = json.loads(options.labels.read_text(encoding="utf-8")) if options.labels else {}
        painted, polygons = shared_out(a, polygons, options.painted, told if options.picked else None)
        faces = faces_of((load_faces(a, 64), load_faces(b, 64)), told, painted)
        kept = options.net or Path(temporary) / "net"
        started, used = time.monotonic(), time.process_time()
        most = 20 if options.quick else options.iterations
        state = teach(kept, faces, most=most, seed=options.seed, stop=lambda: False, used=lambda: 0.0, tell=print)
        figures: dict[str, float] = {"iterations": state.iterations, "doubtful": state.doubtful}
        figures |= {"seconds": time.monotonic() - started, "processor": time.process_time() - used}
        found = load_taught(kept)
        assert found is not None
        figures |= examined(found[0], faces)
        if polygons:
            figures |= labelled(found[0], a, polygons)
    for name, value in figures.items():
        print(f"{name:44}{value:8.3f}")
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the small demo and twenty iterations")
    parser.add_argument("--faces-a", type=Path, help="a folder of face PNGs; with --faces-b instead of the demo's")
    parser.add_argument("--faces-b", type=Path)
    parser.add_argument("--iterations", type=int, default=ENOUGH)
    parser.add_argument("--net", type=Path, help="where the net is, or is to be kept")
    parser.add_argument("--labels", type=Path, help="polygons drawn by somebody on faces of --faces-a")
    parser.add_argument("--painted", type=int, default=0, metavar="N", help="so many of --labels teach")
    parser.add_argument("--picked", action="store_true", help="those that `galloway paint` picks, instead of even ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--told", type=Path, help="a file with the names of faces that people call covered")
    return parser


def examined(net: OcclusionNet, faces: Faces) -> dict[str, float]:
    """Overlap on faces kept back with both kinds of things before them, and what is seen where nothing is."""
    _, others = kept_back(faces)
    pictures = [open_picture(Path(skimage.__file__).parent / "data" / name).convert("RGB") for name in PHOTOGRAPHS]
    sides = {name: np.flatnonzero(others.whose == number) for number, name in enumerate("AB")}
    found = {(kind, side): _overlaps(_shown(net, others, rows, taught(kind, others), OF_A_KIND))
             for kind in KINDS for side, rows in sides.items() if len(rows)}  # fmt: skip

    def new(row: int, chance: np.random.Generator) -> tuple[Bytes, Floats]:
        return unseen(others.images[row], pictures, chance)

    strange = _shown(net, others, np.arange(len(others)), new, EXAMINED)
    bare = net.predict(others.images, others.shapes, others.whose) > 0.5
    hulls = np.stack([hull_plane(shape) for shape in others.shapes]) > 0
    seen = (bare & hulls).sum(axis=(1, 2)) / hulls.sum(axis=(1, 2))
    return {
        **{f"{kind}, {side}": float(np.mean(scores)) for (kind, side), scores in found.items()},
        **_summary("made as taught", np.concatenate(list(found.values()))),
        **_summary("unseen things", _overlaps(strange)),
        **_summary("unseen things, less what is bare", _overlaps(strange, bare)),
        "seen before bare faces": float(seen.mean()),
        "seen before the worst": float(seen.max()),
    }


def taught(kind: str, faces: Faces) -> Put:
    """Puts things of one kind before faces as training makes them."""

    def put(row: int, chance: np.random.Generator) -> tuple[Bytes, Floats]:
        return covered(faces.images[row], faces.shapes[row], faces.images, chance, kinds=(kind,))

    return put


def _summary(name: str, scores: Floats) -> dict[str, float]:
    return {f"{name}, mean": float(np.mean(scores)), f"{name}, worst tenth": float(np.quantile(scores, 0.1))}


@dataclass(frozen=True)
class _Shown:
    """Faces (`rows` of all) with things put before them: how likely each pixel was `found` covered (n, s, s), how far
    it is (`truth`), and how far it is face (`hulls`)."""

    rows: NDArray[np.int64]
    found: Floats
    truth: Floats
    hulls: Floats


def _shown(net: OcclusionNet, faces: Faces, among: NDArray[np.int64], put: Put, count: int) -> _Shown:
    """`count` of the rows `among` with things put before them, as the net sees them."""
    chance = np.random.default_rng(_SEED)
    rows = chance.choice(among, count)
    images, truth = zip(*(put(int(row), chance) for row in rows), strict=True)
    found = net.predict(np.stack(images), faces.shapes[rows], faces.whose[rows])
    return _Shown(rows, found, np.stack(truth), np.stack([hull_plane(shape) for shape in faces.shapes[rows]]))


def _overlaps(shown: _Shown, without: NDArray[np.bool_] | None = None) -> Floats:
    """Of each face on which anything lies; pixels that are true in `without`, of all faces, do not count."""
    hulls = shown.hulls if without is None else np.where(without[shown.rows], 0, shown.hulls)
    scores = [overlap_of(*each) for each in zip(shown.found, shown.truth, hulls, strict=True)]
    return np.array([score for score in scores if score is not None], np.float32)


def unseen(image: Bytes, pictures: list[Image.Image], chance: np.random.Generator) -> tuple[Bytes, Floats]:
    """A face with a thing before it of a shape and a surface of which training makes none."""
    part = _SHAPES[int(chance.integers(0, len(_SHAPES)))](chance)
    picture = pictures[int(chance.integers(0, len(pictures)))]
    side = int(chance.integers(60, min(picture.size)))
    left, top = (int(chance.integers(0, edge - side + 1)) for edge in picture.size)
    surface = np.asarray(picture.resize((SIDE, SIDE), box=(left, top, left + side, top + side)), np.float32)
    return put_before(image, np.zeros((SIDE, SIDE), np.float32), [part], [surface], chance)


def _somewhere(chance: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    return chance.uniform(0.3, 0.75, 2) * SIDE, float(chance.uniform(0.14, 0.32) * SIDE)


def _star(chance: np.random.Generator) -> Floats:
    middle, radius = _somewhere(chance)
    turns = np.linspace(0, 2 * np.pi, 2 * int(chance.integers(4, 8)), endpoint=False) + chance.uniform(0, 6)
    long = np.where(np.arange(len(turns)) % 2, chance.uniform(0.4, 0.7), 1.0) * radius
    return drawn(SIDE, polygons=[middle + np.column_stack([np.cos(turns), np.sin(turns)]) * long[:, None]])


def _ring(chance: np.random.Generator) -> Floats:
    middle, radius = _somewhere(chance)
    turns = np.linspace(0, 2 * np.pi, 40)
    round_ = middle + np.column_stack([np.cos(turns), np.sin(turns)]) * radius
    return drawn(SIDE, lines=[(round_, radius * float(chance.uniform(0.25, 0.6)))])


def _letter(chance: np.random.Generator) -> Floats:
    middle, radius = _somewhere(chance)
    canvas = Image.new("L", (SIDE, SIDE))
    font = ImageFont.load_default(2.6 * radius)
    letter = "BRGESX"[int(chance.integers(0, 6))]
    ImageDraw.Draw(canvas).text((float(middle[0]), float(middle[1])), letter, 255, font, anchor="mm")
    return np.asarray(canvas.rotate(float(chance.uniform(-40, 40))), np.float32) / np.float32(255)


def _crescent(chance: np.random.Generator) -> Floats:
    middle, radius = _somewhere(chance)
    turns = np.linspace(0, 2 * np.pi, 50)
    disc = np.column_stack([np.cos(turns), np.sin(turns)])
    aside = middle + chance.uniform(-1, 1, 2) * radius
    whole, bite = drawn(SIDE, polygons=[middle + 1.3 * radius * disc]), drawn(SIDE, polygons=[aside + radius * disc])
    return np.clip(whole - bite, 0, 1)


_SHAPES: tuple[Callable[[np.random.Generator], Floats], ...] = (_star, _ring, _letter, _crescent)


Polygons = dict[str, list[list[list[float]]]]
PAINTED_CELLS = 36
"""Cells of a page's picture that lie on a face's canvas, about, across and down."""


def shared_out(
    folder: Path, polygons: Polygons, count: int, told: frozenset[str] | None = None
) -> tuple[dict[str, str], Polygons]:
    """So many of the labels as people would paint them, by file name, and the others: even ones, or where it is said
    which faces are `told` to be covered, those that the product would have painted."""
    names = sorted(polygons)
    places = evenly(len(names), count).tolist() if count else []
    if told is not None:
        files = [next(folder.glob(f"*{name}.png")) for name in names]
        every = files + [folder / name for name in sorted(told.difference(file.name for file in files))]
        places = typical(np.stack([coarse(file) for file in every]), count, among=range(len(files)))
    teach = {names[place] for place in places}
    painted = {}
    for name in sorted(teach):
        mask = Image.fromarray((drawn(SIDE, polygons=_at(polygons[name])) * 255).astype(np.uint8))
        cells = np.asarray(mask.resize((PAINTED_CELLS, PAINTED_CELLS), Image.Resampling.BOX)) > 127
        painted[next(folder.glob(f"*{name}.png")).name] = np.packbits(cells).tobytes().hex()
    return painted, {name: outlines for name, outlines in polygons.items() if name not in teach}


def _at(outlines: list[list[list[float]]]) -> list[NDArray[np.float64]]:
    return [np.asarray(outline) * SIDE / DRAWN_ON - 0.5 for outline in outlines]


def labelled(net: OcclusionNet, folder: Path, polygons: Polygons) -> dict[str, float]:
    """Overlap on faces that are really covered, as somebody drew it, and as a conversion sees them."""
    scores: dict[str, float] = {}
    pixels_of: list[tuple[float, float, float]] = []
    for name, outlines in polygons.items():
        seen, hull = _as_converted(net, folder, next(folder.glob(f"*{name}.png")))
        truth = drawn(SIDE, polygons=_at(outlines))
        score = overlap_of(seen, truth, hull)
        if score is not None:
            scores[f"labelled {name}"] = score
            pixels_of.append(_by_pixel((seen > 0.5) & (hull > 0), (truth > 0.5) & (hull > 0)))
    values = list(scores.values())
    ways = zip(("precision", "recall", "border F"), np.mean(pixels_of, axis=0), strict=True)
    means = {f"labelled, {name}": float(value) for name, value in ways}
    return {**scores, "labelled, mean": float(np.mean(values)), "labelled, worst": min(values), **means}


def _as_converted(net: OcclusionNet, folder: Path, wanted: Path) -> tuple[Floats, Floats]:
    """How far a face is covered, and how far it is face, by the net and the frames that are drawn with its own."""
    first = (_frame(wanted) - 1) // AT_ONCE * AT_ONCE + 1
    found = {number: path for path in folder.glob("*.png") if first <= (number := _frame(path)) < first + AT_ONCE}
    found[_frame(wanted)] = wanted
    moments = sorted(found)
    pictures, marks = [], []
    for moment in moments:
        header, pixels = read_png(found[moment])
        points = transform_points(head_matrix(header.alignment.landmarks, len(pixels)), header.alignment.landmarks)
        pictures.append(pixels)
        marks.append([points])
    place = moments.index(_frame(wanted))
    seen = 1 - seen_on_canvases(net, pictures, marks, 0, moments)[place] / np.float32(255)
    return seen, hull_plane(transform_points(canvas_matrix(marks[place][0], SIDE), marks[place][0]))


def _frame(path: Path) -> int:
    return int(path.stem.rsplit("_", 2)[1])


def _by_pixel(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Precision and recall, and the F measure of the borders, which may lie two pixels apart (Csurka et al. 2013)."""
    both = float((found & truth).sum())
    shares = [both / max(float(part.sum()), 1) for part in (found, truth)]
    borders = [part & ~binary_erosion(part) for part in (found, truth)]
    near = [binary_dilation(border, np.ones((3, 3)), iterations=2) for border in borders]
    hits = [
        float((border & other).sum()) / max(float(border.sum()), 1)
        for border, other in zip(borders, near[::-1], strict=True)
    ]
    return shares[0], shares[1], 2 * hits[0] * hits[1] / max(sum(hits), 1e-9)


if __name__ == "__main__":
    main()
