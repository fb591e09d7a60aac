"""The single checks of a readiness report: each looks at one thing and says what was found, wanted and to be done."""

from __future__ import annotations

import numpy as np

from .values import MOUTHS, Check, Coverage, FacesetView, Thresholds, mouth_class

__all__ = [
    "count",
    "covered",
    "crops",
    "expression",
    "light",
    "one_person",
    "sharp",
    "size",
    "sources",
    "twins",
    "variety",
]


def _state(good: bool, fair: bool) -> str:
    return "good" if good else "fair" if fair else "poor"


def covered(coverage: Coverage, limits: Thresholds) -> Check:
    share = coverage.share("covered")
    return Check(
        "covers the clip",
        _state(share >= limits.covered_good, share >= limits.covered_least),
        f"{share:.0%} of the clip's faces have {limits.enough} or more of B within {limits.near:g}°; "
        f"{coverage.share('thin'):.0%} have a few, {coverage.share('missing'):.0%} hardly any",
        f"{limits.covered_good:.0%} (ours)",
        "" if share >= limits.covered_good else "Collect what the list asks for, or leave those frames unswapped.",
    )


def count(faces: FacesetView, limits: Thresholds) -> Check:
    count = len(faces)
    advice = ""
    if count < limits.faces_good:
        advice = "Extract more frames or add footage."
    elif count > limits.faces_many:
        advice = "Thin it out: near-copies slow training and add nothing."
    return Check(
        "enough faces",
        _state(limits.faces_good <= count <= limits.faces_many, count >= limits.faces_least),
        f"{count:,}",
        f"{limits.faces_least:,} at least (faceswap's USAGE.md), better {limits.faces_good:,} to {limits.faces_many:,} "
        "(its training guide)",
        advice,
    )


def sources(faces: FacesetView, limits: Thresholds) -> Check:
    count = len(set(faces.source))
    return Check(
        "several sources",
        _state(count >= limits.sources_good, count >= 2),
        f"{count}",
        f"{limits.sources_good} (ours)",
        "" if count >= limits.sources_good else "Add footage of another day, room or camera: light and look vary more.",
    )


def variety(faces: FacesetView, limits: Thresholds) -> Check:
    known = np.isfinite(faces.yaw) & np.isfinite(faces.pitch)
    if not known.any():
        return Check("varied pose", "unknown", "no landmarks", f"{limits.cells_good} cells")
    cells = np.stack([np.round(faces.yaw[known] / limits.cell), np.round(faces.pitch[known] / limits.cell)], axis=1)
    _, counts = np.unique(cells, axis=0, return_counts=True)
    full = int((counts >= limits.enough).sum())
    low, high = np.percentile(faces.yaw[known], [2, 98])
    return Check(
        "varied pose",
        _state(full >= limits.cells_good, full >= limits.cells_good / 2),
        f"cells of {limits.cell:g}° with {limits.enough} faces or more: {full}; yaw mostly {low:+.0f}° to {high:+.0f}°",
        f"{limits.cells_good} cells (ours)",
        "" if full >= limits.cells_good else "Film the person looking left, right, up and down.",
    )


def expression(faces: FacesetView, limits: Thresholds) -> Check:
    counts = np.bincount(mouth_class(faces.mouth, limits), minlength=3)
    closed_eyes = int((faces.eyes < limits.eyes_closed).sum())
    kinds = [*counts.tolist(), closed_eyes]
    full = sum(count >= limits.enough for count in kinds)
    return Check(
        "varied expression",
        _state(full == 4, full >= 2),
        ", ".join(f"{name} {count}" for name, count in zip((*MOUTHS, "eyes closed"), kinds, strict=True)),
        f"{limits.enough} of each (ours)",
        "" if full == 4 else "Film talking, laughing and blinking.",
    )


def light(faces: FacesetView) -> Check:
    known = np.isfinite(faces.brightness)
    if not known.any():
        return Check("varied light", "unknown", "pixels were not read", "a spread of 0.1")
    spread = float(np.subtract(*np.percentile(faces.brightness[known], [90, 10])))
    sides = float(np.subtract(*np.percentile(faces.light[known], [90, 10])))
    return Check(
        "varied light",
        _state(max(spread, sides) >= 0.1, max(spread, sides) >= 0.05),
        f"brightness spreads over {spread:.2f} of its range, left–right balance over {sides:.2f}",
        "0.1 in either (ours)",
        "" if max(spread, sides) >= 0.1 else "Add footage in another light.",
    )


def sharp(faces: FacesetView, limits: Thresholds) -> Check:
    known = faces.sharpness[np.isfinite(faces.sharpness)]
    if not len(known):
        return Check("sharp", "unknown", "pixels were not read", f"{limits.blurred_most:.0%} at most blurred")
    middle = np.median(known)
    spread = max(1.4826 * float(np.median(np.abs(known - middle))), 0.25)
    share = float(((known - middle) / spread < -limits.blurred_z).mean())
    return Check(
        "sharp",
        _state(share <= limits.blurred_most / 2, share <= limits.blurred_most),
        f"{share:.1%} far less sharp than the set's own middle",
        f"{limits.blurred_most / 2:.0%} (ours; no tool has an absolute limit)",
        "" if share <= limits.blurred_most / 2 else "Ask about them: galloway screen, then galloway publish.",
    )


def size(faces: FacesetView, limits: Thresholds) -> Check:
    middle = float(np.median(faces.size)) if len(faces) else 0.0
    return Check(
        "large enough",
        _state(middle >= limits.size_least, middle >= limits.size_least / 2),
        f"the middle face is {middle:.0f} pixels in its frame",
        f"{limits.size_least:g} (ours: what a 64- to 128-pixel model can use)",
        "" if middle >= limits.size_least else "Use footage in which the face is larger.",
    )


def crops(faces: FacesetView) -> Check:
    wanted = "squares of one size (faceswap refuses others; the embedded engine takes them)"
    if faces.crops is None:
        return Check("crops of one size", "unknown", "pictures were not looked at", wanted)
    said = " ".join(faces.crops.sentences())
    width, height = faces.crops.usual
    return Check(
        "crops of one size",
        "fair" if said else "good",
        said or f"all are {width}x{height}",
        wanted,
        f"To train with faceswap: {faces.crops.set_aside}" if said else "",
    )


def twins(faces: FacesetView, limits: Thresholds) -> Check:
    share = float(faces.twin.mean()) if len(faces) else 0.0
    return Check(
        "not all alike",
        _state(share <= limits.twins_most, share <= 0.8),
        f"{share:.0%} are near-copies of a sharper face; {round(len(faces) * (1 - share)):,} stand for themselves",
        f"{limits.twins_most:.0%} at most (ours)",
        "" if share <= limits.twins_most else "Extract every 2nd or 3rd frame, and add footage instead.",
    )


def one_person(faces: FacesetView, limits: Thresholds) -> Check:
    if faces.stranger is None:
        return Check(
            "one person", "unknown", "embeddings were not looked at", "2 % others at most", "Run: galloway screen"
        )
    share = float(faces.stranger.mean()) if len(faces) else 0.0
    return Check(
        "one person",
        _state(share <= limits.strangers_most / 4, share <= limits.strangers_most),
        f"{int(faces.stranger.sum())} of {len(faces):,} faces are unlike the main person",
        f"{limits.strangers_most:.0%} at most (ours)",
        "" if share <= limits.strangers_most / 4 else "Ask the identity question about them.",
    )
