"""What cleaning is worth: how like B a swap is, against the share of another person's faces left in B's faceset.

    python -m bench.cleaning [--quick] [--a CLIP --b CLIP --other CLIP] [--kept FOLDER] [--picture FILE.svg]

Without clips the demo's footage is drawn, and the wrong faces are those of the strangers in B's clip. `--other` names a
clip whose largest faces are the wrong ones. Every set has the same number of faces, of which a share is replaced by
wrong ones, evenly over the clip; each trains for the same iterations and swaps the same frames of A. Likeness is the
cosine to the mean embedding of B's own faces, ceiling B's own (their median), floor A untouched. The peer is the set
without a wrong face. `--kept` uses the faces that an earlier run found there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from galloway.curation import drawing
from galloway.curation.drawing import Scale
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.types import Side, no_progress
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, FrameRange, TrainRequest
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.measures.figures import measure
from galloway.pipeline.measures.see import look, people_of, person_of
from galloway.pipeline.measures.values import Measured
from numpy.typing import NDArray

from bench.swap_sets import CRF, Set, prepared

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)
FACES, FRAMES, ITERATIONS = 100, 60, 40


@dataclass(frozen=True)
class Point:
    """One swap: `like` (frames,) the cosines to B, `apart` (frames,) how far from B towards A."""

    share: float
    seed: int
    like: NDArray[np.float64]
    apart: NDArray[np.float64]


def main() -> None:
    """Parse the command line, train and swap for each share, print, draw."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.kept or Path(temporary)
        chosen = _found(folder, options)
        b = person_of(chosen.folder / "b")
        ceiling = float(np.median(_cosines(b, b)))
        points, floor = [], 0.0
        for share in SHARES[:: 4 if options.quick else 1]:
            for seed in range(1, (1 if options.quick else options.seeds) + 1):
                point, floor = swapped_with(chosen, share, seed, b, options)
                points.append(point)
                if options.picture:
                    # After each: a run that is cut off leaves what it found.
                    options.picture.write_text(picture(points, ceiling, floor), encoding="utf-8")
                print(
                    f"{share:5.0%} wrong, seed {seed}: like B {point.like.mean():.4f}, worst frame "
                    f"{point.like.min():.4f}; from B towards A {point.apart.mean():.3f}, worst {point.apart.max():.3f}"
                )
    figures = {
        f"{share:.2f}": {
            "like B": round(_mean(points, share, "like"), 4),
            "from B towards A": round(_mean(points, share, "apart"), 4),
        }
        for share in sorted({point.share for point in points})
    }
    clean, worst = (_mean(points, share, "like") for share in (0.0, SHARES[-1]))
    lost = (clean - worst) / max(ceiling - floor, 1e-9)
    print(f"a fifth of wrong faces costs {lost:.1%} of the way from A's own face to B's, against none")
    print(json.dumps({"ceiling": round(ceiling, 4), "floor": round(floor, 4), "shares": figures}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="the small demo, no wrong face and a fifth, few iterations"
    )
    parser.add_argument("--a", type=Path, help="side A's clip; with --b and --other instead of the demo's footage")
    parser.add_argument("--b", type=Path)
    parser.add_argument("--other", type=Path, help="a clip of somebody else: the wrong faces")
    parser.add_argument("--kept", type=Path, help="a folder for the faces, used again where they are there")
    parser.add_argument("--picture", type=Path, help="where the picture is to be written (SVG)")
    parser.add_argument("--iterations", type=int, default=ITERATIONS)
    parser.add_argument("--seeds", type=int, default=1)
    return parser


def _found(folder: Path, options: argparse.Namespace) -> Set:
    """The faces of A, of B and of the others, below `folder`."""
    given = options.a is not None
    if given and (folder / "other").is_dir():
        return Set(folder, {Side.A: options.a, Side.B: options.b})
    chosen = prepared(folder, options.a, options.b, small=options.quick)
    if given:
        work = ExtractRequest(options.other, folder / "other", folder / "other.fsa", folder / "work_other", size=512)
        EmbeddedEngine().extract(work, no_progress)
    else:
        right = {path.name for path in (folder / "b").glob("*.png")}
        (folder / "other").mkdir()
        for path in (folder / "all_b").glob("*.png"):
            if path.name not in right:
                shutil.copy(path, folder / "other")
    return chosen


def swapped_with(
    chosen: Set, share: float, seed: int, b: NDArray[np.float64], options: argparse.Namespace
) -> tuple[Point, float]:
    """Train with that share of wrong faces, swap A's first frames, and measure; with the cosine of A untouched."""
    place = Path(tempfile.mkdtemp(dir=chosen.folder))
    mixed(chosen.folder, place / "faces", share, seed)
    iterations = 10 if options.quick else options.iterations
    work = TrainRequest(
        faces_a=chosen.folder / "a",
        faces_b=place / "faces",
        model_dir=place / "model",
        work_dir=place,
        iterations=iterations,
        save_every=iterations,
        timelapse=False,
        options={"occlusion": "no"},
    )
    EmbeddedEngine().train(work, lambda event: None)
    frames = 20 if options.quick else FRAMES
    convert = ConvertRequest(
        source=chosen.clips[Side.A],
        alignments=chosen.alignments(Side.A),
        model_dir=place / "model",
        output=place / "film.mp4",
        work_dir=place,
        ranges=(FrameRange(1, frames),),
        crf=CRF,
        options={"occlusion": "no"},
    )
    EmbeddedEngine().convert(convert, no_progress)
    found, floor = _measured(chosen, place / "film.mp4", frames, b)
    shutil.rmtree(place)
    return Point(share, seed, *found), floor


def _measured(
    chosen: Set, film: Path, frames: int, b: NDArray[np.float64]
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], float]:
    known = read_alignments(chosen.alignments(Side.A)).frames
    some = {name: known[name] for name in sorted(known)[:frames]}
    seen = look(open_source(chosen.clips[Side.A]), open_source(film), some, no_progress)
    people = people_of(seen, b)
    told: Measured = measure(seen, people)
    vectors = np.stack([face.vector for face in seen if face.vector is not None])
    return (_cosines(vectors, b), told.series["identity"]), float(_cosines(people.a, b).mean())


def mixed(folder: Path, target: Path, share: float, seed: int) -> None:
    """FACES of B's faces, `share` of them replaced by others'; all evenly spread, from a place that the seed says."""
    target.mkdir()
    right, wrong = (sorted((folder / side).glob("*.png")) for side in ("b", "other"))
    count = min(FACES, len(right))
    strange = round(share * count)
    for number, path in enumerate([*_spread(right, count - strange, seed), *_spread(wrong, strange, seed)]):
        shutil.copy(path, target / f"face_{number:06d}_0.png")


def _spread(paths: list[Path], count: int, seed: int) -> list[Path]:
    start = np.random.default_rng(seed).uniform(0, 1)
    places = ((np.arange(count) + start) * len(paths) / max(count, 1)).astype(int) % max(len(paths), 1)
    return [paths[place] for place in places]


def _cosines(vectors: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = b.mean(axis=0)
    return np.asarray(vectors @ mean / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(mean)), np.float64)


def _mean(points: list[Point], share: float, what: str) -> float:
    return float(np.mean([getattr(point, what).mean() for point in points if point.share == share]))


def picture(points: list[Point], ceiling: float, floor: float) -> str:
    """An SVG: likeness to B by share of wrong faces, mean (line) and worst frame of each swap (crosses)."""
    low = min(floor, *(float(point.like.min()) for point in points))
    across = Scale(-0.01, max(point.share for point in points) + 0.01, 64, 624)
    up = Scale(low - 0.005, ceiling + 0.005, 352, 40)
    body = [drawing.text(64, 24, "How like B the swap is, by the share of wrong faces left in B's faceset", size=13)]
    body.append(drawing.rect(64, 40, 560, 312, "none", ink="#888"))
    for value, words in ((ceiling, "B's own faces"), (floor, "A untouched")):
        body.append(drawing.line(64, up(value), 624, up(value), ink="#777", dash="5 3"))
        body.append(drawing.text(632, up(value) + 4, words))
    for value in np.linspace(up.low, up.high, 6).tolist():
        body.append(drawing.text(58, up(value) + 4, f"{value:.3f}", anchor="end"))
    shares = sorted({point.share for point in points})
    for share in shares:
        body.append(drawing.text(across(share), 370, f"{share:.0%}", anchor="middle"))
    body.append(drawing.text(344, 390, "wrong faces among B's", anchor="middle"))
    body.append(drawing.polyline([(across(s), up(_mean(points, s, "like"))) for s in shares], ink="#00456b", width=2))
    for point in points:
        body.append(drawing.dot(across(point.share), up(float(point.like.mean())), 4, "#00456b"))
        body.append(drawing.text(across(point.share), up(float(point.like.min())) + 4, "×", anchor="middle", size=14))
    body += [drawing.dot(644, 66, 4, "#00456b"), drawing.text(656, 70, "mean of the frames")]
    body += [drawing.text(644, 90, "×", anchor="middle", size=14), drawing.text(656, 90, "worst frame")]
    return str(drawing.document(790, 404, "Likeness to B by share of wrong faces", body)) + "\n"


if __name__ == "__main__":
    main()
