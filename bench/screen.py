"""How many faces need no question, at which error? Measured on a folder of labelled crops.

    python -m bench.screen [FOLDER] [--quick] [--no-cache]

FOLDER holds `labels.csv` (the columns of COLUMNS below) and `references.csv` (set, file). Columns that name a detector
or its score are never read: they would give `not_face` away.
Rows labelled `duplicate` are left out of keep/reject figures (a near-copy is no worse a face) and counted apart.

The peer, run on the same embeddings: keep below a distance of 0.40 to the reference, reject from 0.55, ask in between.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from galloway.curation.pictures import open_picture
from galloway.curation.screen.cache import EmbeddingCache
from galloway.curation.screen.calibrate import Triage, auc, calibrate, calibration_error, triage
from galloway.curation.screen.crops import Crop, observe_crops, read_pixels
from galloway.curation.screen.embed import MODEL_NAME, DlibEmbedder
from galloway.curation.screen.identity import person_groups
from galloway.curation.screen.observe import Observation
from galloway.curation.screen.priors import Prior, ScreenSettings, screen
from galloway.curation.types import FaceId, Side
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

COLUMNS = [
    *("file", "set", "source", "frame", "w", "h", "identity"),
    *("keep", "reason", "q_usable", "q_same_person", "ambiguous"),
]
LOW, HIGH = 0.03, 0.97
PLAIN_KEEP, PLAIN_REJECT = 0.40, 0.55
QUICK_PER_SET = 60


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="default: a small made-up set")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PER_SET} faces of each set, under 40 s")
    parser.add_argument("--no-cache", action="store_true", help="compute every embedding again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if options.folder is None:
            print("No FOLDER given: a made-up set of two public-domain portraits, strangers and scenery. Too easy:")
            print("it shows that the screener works, not how well it does on footage.\n")
            options.folder = make_set(Path(made), 12 if options.quick else 40)
        measure_folder(options)


def measure_folder(options: argparse.Namespace) -> None:
    """Measure the folder and print; the last line is JSON."""
    rows = read_rows(options.folder, options.quick)
    observations, seconds = look(options.folder, rows, cached=not options.no_cache)
    if seconds:
        print(f"{len(rows)} faces looked at, {1000 * seconds / len(rows):.0f} ms of CPU each\n")
    references = {
        str(row.set): DlibEmbedder()(read_pixels(options.folder / str(row.file))).vector
        for row in pd.read_csv(options.folder / "references.csv").itertuples()
    }
    figures = compare(rows, observations, references)
    print(json.dumps({"bench": "screen", "quick": options.quick, "faces": len(rows), **figures}))


def make_set(folder: Path, count: int) -> Path:
    """A labelled set from pictures that packages ship.

    matplotlib's Grace Hopper is the person, a third of her crops blurred; scikit-image's astronaut and LFW faces are
    others, and its patches without a face are none.
    """
    from matplotlib import get_data_path
    from skimage import data as shipped

    rng = np.random.default_rng(1)
    hopper = open_picture(Path(get_data_path()) / "sample_data" / "grace_hopper.jpg")
    astronaut = Image.fromarray(shipped.astronaut())  # type: ignore[no-untyped-call]
    crops = [("hopper", _cut(hopper, 262, 185, 200, rng), "") for _ in range(count)]
    crops += [("astronaut", _cut(astronaut, 222, 118, 120, rng), "other_identity") for _ in range(count)]
    for place in range(0, count, 3):
        crops[place] = ("hopper", crops[place][1].filter(ImageFilter.GaussianBlur(6)), "blurred")
    patches = shipped.lfw_subset()  # type: ignore[no-untyped-call]
    for place, patch in enumerate(patches[:: max(1, 200 // (2 * count))]):
        grey = Image.fromarray((255 * patch).astype(np.uint8)).convert("RGB")
        reason = "other_identity" if place < count else "not_face"
        crops.append(("unnamed", grey.resize((192, 192), Image.Resampling.BICUBIC), reason))
    rows: list[list[object]] = []
    for place, (name, crop, reason) in enumerate(crops):
        crop.save(folder / f"{place:04d}.png")
        answers = [int(not reason), reason or None, int(reason != "blurred"), int(name == "hopper" and not reason), 0]
        rows.append([f"{place:04d}.png", "made", f"{name}-{place}", 0, 128, 128, name, *answers])
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / "labels.csv", index=False)
    hopper.crop((112, 35, 412, 335)).save(folder / "reference.png")
    pd.DataFrame([["made", "reference.png"]], columns=["set", "file"]).to_csv(folder / "references.csv", index=False)
    return folder


def _cut(picture: Image.Image, x: float, y: float, size: float, rng: np.random.Generator) -> Image.Image:
    """A crop around a face, a little moved, zoomed, turned and relit."""
    side = 1.5 * size * rng.uniform(0.92, 1.08)
    x, y = x + rng.normal(0, 0.03 * size), y + rng.normal(0, 0.03 * size)
    turned = picture.rotate(rng.normal(0, 6), Image.Resampling.BICUBIC, center=(x, y))
    crop = turned.resize((192, 192), box=(x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    return ImageEnhance.Brightness(crop).enhance(rng.uniform(0.7, 1.2))


def read_rows(folder: Path, quick: bool) -> pd.DataFrame:
    """The labels; with `quick` evenly spaced rows of each set."""
    rows = pd.read_csv(folder / "labels.csv", usecols=COLUMNS)
    if quick:
        parts = [part for _, part in rows.groupby("set")]
        spaced = [np.linspace(0, len(part) - 1, min(len(part), QUICK_PER_SET)).astype(int) for part in parts]
        rows = pd.concat([part.iloc[places] for part, places in zip(parts, spaced, strict=True)])
    return rows.reset_index(drop=True)


def look(folder: Path, rows: pd.DataFrame, *, cached: bool) -> tuple[list[Observation], float]:
    """Observe every row's crop; the CPU seconds it took where nothing was cached."""
    table = zip(*(rows[name].tolist() for name in ("file", "source", "frame", "w", "h")), strict=True)
    crops = [
        Crop(FaceId(file), folder / file, source, frame if source.endswith(".mp4") else None, float(min(w, h)))
        for file, source, frame, w, h in table
    ]
    place = Path(tempfile.gettempdir()) / "galloway-bench-screen.sqlite"
    with EmbeddingCache(place, MODEL_NAME) as cache:
        known = len(cache)
        started = time.process_time()
        seen = observe_crops(
            crops,
            cache=cache if cached else None,
            progress=lambda what, done, total: print(f"\r{what} {done}/{total}", end="", file=sys.stderr),
        )
        print(file=sys.stderr)
        fresh = not cached or known == 0
    return seen, time.process_time() - started if fresh else 0.0


class Columns:
    """The truth as boolean columns."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.keep: NDArray[np.bool_] = (rows["keep"] == 1).to_numpy()
        self.same: NDArray[np.bool_] = (rows["q_same_person"] == 1).to_numpy()
        self.twin: NDArray[np.bool_] = (rows["reason"] == "duplicate").to_numpy()
        self.clear: NDArray[np.bool_] = (rows["ambiguous"] == 0).to_numpy()
        self.sets: NDArray[np.str_] = rows["set"].to_numpy(dtype=str)


@dataclass(frozen=True)
class Scores:
    """Every method's scores of all rows: ours with and without references, the peer's distances."""

    ours: list[Prior]
    alone: list[Prior]
    plain: NDArray[np.float64]
    majority: NDArray[np.float64]
    how: dict[str, str]
    how_alone: dict[str, str]


def compare(
    rows: pd.DataFrame, observations: list[Observation], references: dict[str, NDArray[np.float32]]
) -> dict[str, object]:
    """Print the tables; the figures of the last line."""
    truth = Columns(rows)
    vectors = np.stack([o.vector for o in observations if o.vector is not None])
    plain = np.array([np.linalg.norm(v - references[s]) for v, s in zip(vectors, truth.sets, strict=True)])
    ours, how = priors_of(observations, truth.sets, references)
    alone, how_alone = priors_of(observations, truth.sets, {})
    scores = Scores(ours, alone, plain, majority_distance(vectors, truth.sets), how, how_alone)
    figures: dict[str, object] = {}
    figures |= print_auc(scores, truth)
    figures |= print_triages(rows, scores, truth)
    figures |= print_rest(rows, observations, scores, truth)
    return {**figures, "identity_by": how}


def print_auc(scores: Scores, truth: Columns) -> dict[str, object]:
    """How well each method orders the faces, per set and over all."""
    keep, same = column(scores.ours, "p_keep"), column(scores.ours, "p_same")
    keep_alone, same_alone = column(scores.alone, "p_keep"), column(scores.alone, "p_same")
    print("ROC AUC, duplicates left out; with reference, then without; keep, then same person")
    print("  set   keep: ours  distance   no ref.: ours  majority   same: ours  no ref.")
    found: dict[str, list[float]] = {}
    for name in [*sorted(set(truth.sets)), "all"]:
        here = ~truth.twin & ((truth.sets == name) | (name == "all"))
        figures = [auc(s[here], truth.keep[here]) for s in (keep, -scores.plain, keep_alone, -scores.majority)]
        person = [auc(s[here], truth.same[here]) for s in (same, same_alone)]
        found[str(name)] = figures
        print(
            f"{name:>5}{figures[0]:13.3f}{figures[1]:10.3f}{figures[2]:16.3f}{figures[3]:10.3f}"
            f"{person[0]:13.3f}{person[1]:9.3f}  {scores.how_alone.get(name, '')}"
        )
    return {
        "auc_keep": round(found["all"][0], 4),
        "auc_plain": round(found["all"][1], 4),
        "auc_no_reference": {name: round(figures[2], 3) for name, figures in found.items() if name != "all"},
    }


def print_triages(rows: pd.DataFrame, scores: Scores, truth: Columns) -> dict[str, object]:
    """How many faces need no question, at which error."""
    keep, same, here = column(scores.ours, "p_keep"), column(scores.ours, "p_same"), ~truth.twin
    pseudo = np.where(scores.plain < PLAIN_KEEP, 1.0, np.where(scores.plain >= PLAIN_REJECT, 0.0, 0.5))
    methods = {"ours": keep, "plain": pseudo, "ours_without_reference": column(scores.alone, "p_keep")}
    tables = {name: triage(p[here], truth.keep[here], LOW, HIGH) for name, p in methods.items()}
    print(f"\nTriage of {int(here.sum())} faces          decided   error   false keeps  false rejects")
    print_triage(tables)
    sure = here & truth.clear
    print(f"\n… of the {int(sure.sum())} that are not ambiguous")
    print_triage({name: triage(methods[name][sure], truth.keep[sure], LOW, HIGH) for name in ("ours", "plain")})
    identity = triage(same, truth.same, LOW, HIGH)
    print(f"\nIdentity alone, all {len(same)} rows: decides {identity.decided:.3f} with error {identity.error:.4f}")
    print("What triage gets wrong:", dict(mistakes(rows, keep, truth, here)) or "nothing")
    ours, plain = tables["ours"], tables["plain"]
    return {
        "decided": round(ours.decided, 4),
        "error": round(ours.error, 4),
        "plain_decided": round(plain.decided, 4),
        "plain_error": round(plain.error, 4),
        "questions_ratio": round((1 - ours.decided) / max(1 - plain.decided, 1e-9), 3),
        "identity_error": round(identity.error, 4),
    }


def print_rest(
    rows: pd.DataFrame, observations: list[Observation], scores: Scores, truth: Columns
) -> dict[str, object]:
    """Twins, anybody as the target, calibration."""
    twins = np.array([prior.twin_of is not None for prior in scores.ours])
    shared = float("nan")
    if twins.any():
        caught, shared = twins[truth.twin].mean(), twin_agreement(scores.ours, rows)
        print(f"Twins: {twins.mean():.3f} of faces stand behind a leader; labelled duplicates caught {caught:.3f};")
        print(f"       a twin has its leader's answers on both questions in {shared:.3f}")
    anyone = anybody(rows, observations)
    print(
        f"Any person as the target, one crop of theirs as reference, {anyone['targets']} targets: same person decided"
        f" {anyone['decided']:.3f} with error {anyone['error']:.4f}; by distance {anyone['plain_decided']:.3f}"
        f" with {anyone['plain_error']:.4f}"
    )
    before, after = calibrated(column(scores.ours, "p_keep"), truth, ~truth.twin)
    print(f"Calibration error (held-out half of each set): {before:.4f}, after fitting to the other half {after:.4f}")
    told = {"twins": round(float(twins.mean()), 4), "twins_like_leader": None if np.isnan(shared) else round(shared, 4)}
    return {**told, "any_target": anyone, "calibration_error": round(before, 4)}


def priors_of(
    observations: list[Observation], sets: NDArray[np.str_], references: dict[str, NDArray[np.float32]]
) -> tuple[list[Prior], dict[str, str]]:
    """Screen each set by itself, with its reference where one is given."""
    priors: list[Prior | None] = [None] * len(observations)
    how: dict[str, str] = {}
    for name in sorted(set(sets)):
        places = np.flatnonzero(sets == name)
        reference = references[name][None] if name in references else None
        found = screen([observations[i] for i in places], Side.B, reference, ScreenSettings())
        how[str(name)] = found.identity
        for place, prior in zip(places, found.priors, strict=True):
            priors[place] = prior
    return [prior for prior in priors if prior is not None], how


def anybody(rows: pd.DataFrame, observations: list[Observation]) -> dict[str, float]:
    """Make everybody with a name and four crops the target in turn, minorities and hard photographs too.

    Nothing was tuned for these; the labels' own targets are the easy case, where one clip holds most of the set.
    """
    sets, names = rows["set"].to_numpy(dtype=str), rows["identity"].fillna("unnamed").to_numpy(dtype=str)
    total, targets, ours, plain = 0, 0, np.zeros(2), np.zeros(2)
    for name in sorted(set(sets)):
        here = np.flatnonzero(sets == name)
        for person in sorted(set(names[here])):
            own = here[names[here] == person]
            if person.startswith("unnamed") or len(own) < 4:
                continue
            targets += 1
            for reference in own[:: max(1, len(own) // 4)][:4]:
                others = here[here != reference]
                vector = observations[int(reference)].vector
                assert vector is not None
                found = screen([observations[i] for i in others], Side.B, vector[None])
                same = names[others] == person
                p = column(list(found.priors), "p_same")
                distance = np.array([prior.features["distance"] for prior in found.priors])
                pseudo = np.where(distance < PLAIN_KEEP, 1.0, np.where(distance >= PLAIN_REJECT, 0.0, 0.5))
                for sums, scores in ((ours, p), (plain, pseudo)):
                    table = triage(scores, same, LOW, HIGH)
                    sums += np.array([table.decided, table.error]) * len(others)
                total += len(others)
    decided, error, plain_decided, plain_error = (float(v) / max(total, 1) for v in (*ours, *plain))
    return {
        "targets": targets,
        "decided": round(decided, 4),
        "error": round(error, 4),
        "plain_decided": round(plain_decided, 4),
        "plain_error": round(plain_error, 4),
    }


def column(priors: list[Prior], name: str) -> NDArray[np.float64]:
    """One figure of all priors."""
    return np.array([getattr(prior, name) for prior in priors], dtype=np.float64)


def majority_distance(vectors: NDArray[np.float32], sets: NDArray[np.str_]) -> NDArray[np.float64]:
    """The peer without references: distance to the middle of the largest group, every face counting."""
    result = np.zeros(len(vectors))
    for name in set(sets):
        here = np.flatnonzero(sets == name)
        group = person_groups(vectors[here], np.ones(len(here), dtype=bool))[0]
        centre = vectors[here][group.members].mean(axis=0)
        result[here] = np.linalg.norm(vectors[here] - centre, axis=1)
    return result


def print_triage(tables: dict[str, Triage]) -> None:
    for name, table in tables.items():
        print(f"  {name:<26}{table.decided:11.3f}{table.error:8.4f}{table.false_keeps:14d}{table.false_rejects:15d}")


def mistakes(rows: pd.DataFrame, keep: NDArray[np.float64], truth: Columns, here: NDArray[np.bool_]) -> Counter[str]:
    """False keeps and false rejects by true reason."""
    wrong = here & (((keep >= HIGH) & ~truth.keep) | ((keep <= LOW) & truth.keep))
    return Counter(f"{row.set}: {row.reason}" for row in rows[wrong].itertuples())


def twin_agreement(priors: list[Prior], rows: pd.DataFrame) -> float:
    """Share of twins whose labelled answers equal their leader's."""
    answers = {
        str(row.file): (str(row.q_usable), str(row.q_same_person)) for row in rows.astype({"file": str}).itertuples()
    }
    pairs = [answers[p.face_id] == answers[p.twin_of] for p in priors if p.twin_of is not None]
    return float(np.mean(pairs)) if pairs else float("nan")


def calibrated(keep: NDArray[np.float64], truth: Columns, here: NDArray[np.bool_]) -> tuple[float, float]:
    """Calibration error on every second face before and after fitting to the others of its set."""
    fitted = keep.copy()
    odd = np.arange(len(keep)) % 2 == 1
    for name in set(truth.sets):
        inside = here & (truth.sets == name)
        fitted[inside] = calibrate(keep[inside & ~odd], truth.keep[inside & ~odd]).apply(keep[inside])
    held = here & odd
    return calibration_error(keep[held], truth.keep[held]), calibration_error(fitted[held], truth.keep[held])


if __name__ == "__main__":
    main()
