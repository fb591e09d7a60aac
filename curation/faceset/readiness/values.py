"""The values of a readiness report: thresholds, a faceset as columns, checks, coverage and demands.

Published rules of thumb are few: faceswap's documentation asks for 500 to 5,000 varied, good faces a side, its guide
for 1,000 to 10,000; DeepFaceLab's sorter picks the best 2,000. Nobody publishes an angle, a cell size or a share, so
every other threshold here is ours, named in `Thresholds`, and can be set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FacesetError
from ..crop_sizes import CropSizes

__all__ = [
    "EYES",
    "LIGHTS",
    "MOUTHS",
    "STATES",
    "Check",
    "Coverage",
    "Demand",
    "FacesetView",
    "Floats",
    "Readiness",
    "Thresholds",
    "eyes_class",
    "light_class",
    "mouth_class",
    "thresholds_from",
]

Floats = NDArray[np.float64]

STATES = ("missing", "thin", "covered")
"""How well a frame is covered; the index is what `Coverage.state` holds."""
MOUTHS = ("mouth closed", "mouth open", "mouth wide open")
EYES = ("eyes closed", "eyes to the left", "eyes ahead", "eyes to the right", "eyes crossed")
LIGHTS = ("lit from the left", "lit evenly", "lit from the right")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as enough. All ours but the face counts (see `faces_least`); angles in degrees."""

    faces_least: int = 500
    """faceswap's USAGE.md: 500 to 5,000 a side."""
    faces_good: int = 1000
    """faceswap's training guide, as quoted in forums: 1,000 to 10,000."""
    faces_many: int = 10_000
    """The same guide: more "can actually hurt"."""
    sources_good: int = 3
    near: float = 8.0
    """A face of B this near in yaw and pitch can stand for a frame of A."""
    enough: int = 20
    some: int = 5
    like_near: float = 15.0
    """The same for expression and light, which are rarer."""
    like_enough: int = 8
    cell: float = 15.0
    cells_good: int = 6
    covered_good: float = 0.95
    covered_least: float = 0.80
    twins_most: float = 0.5
    blurred_z: float = 2.5
    blurred_most: float = 0.1
    size_least: float = 96.0
    mouth_open: float = 0.12
    mouth_wide: float = 0.35
    side_light: float = 0.12
    eyes_closed: float = 0.18
    look_aside: float = 0.25
    """Irises so far from the eyes' middles, in shares of half an eye's width, look aside."""
    crossed: float = 0.3
    """Irises so much nearer to each other than to the middles."""
    strangers_most: float = 0.02


@dataclass(frozen=True, slots=True)
class FacesetView:
    """A faceset as columns, n faces. Angles in degrees, NaN where unknown; `frame` is -1 for photographs.

    `mouth` and `eyes` are ratios of `curation.screen.pose.Expression`; `size` is the face's smaller side in frame
    pixels; `sharpness`, `brightness` and `light` are those of `curation.screen.pixels.Measures`, NaN where pixels were
    not read. `twin` says whether a sharper near-copy is there; `stranger` whether the face is unlike the main person,
    None where embeddings were not looked at. `gaze` (n, 2) is where the eyes look (`curation.screen.gaze`), None where
    pixels were not read. `crops` is what the pictures' sizes are, None where there are no pictures.
    """

    source: tuple[str, ...]
    frame: NDArray[np.int64]
    yaw: Floats
    pitch: Floats
    mouth: Floats
    eyes: Floats
    size: Floats
    sharpness: Floats
    brightness: Floats
    light: Floats
    twin: NDArray[np.bool_]
    stranger: NDArray[np.bool_] | None = None
    gaze: Floats | None = None
    crops: CropSizes | None = None

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer. `state` is "good", "fair", "poor" or "unknown"; `advice` is empty where all is well."""

    name: str
    state: str
    found: str
    wanted: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How B covers each face of A, in A's order of source and frame.

    `near` counts B's faces within `Thresholds.near` degrees; `state` indexes STATES. `like_mouth`, `like_light` and
    `like_eyes` count the near ones (within `like_near`) of the same mouth, light and eyes class.
    """

    order: NDArray[np.intp]
    near: NDArray[np.int64]
    state: NDArray[np.int64]
    like_mouth: NDArray[np.int64]
    like_light: NDArray[np.int64]
    like_eyes: NDArray[np.int64]

    def share(self, state: str) -> float:
        """Share of A's faces in that state; 0 without faces."""
        return float((self.state == STATES.index(state)).mean()) if len(self.state) else 0.0


@dataclass(frozen=True, slots=True)
class Demand:
    """One kind of face to collect more of: a cell of yaw and pitch, with mouth or light where that is what lacks.

    `frames` of A need it, the `first` of them as (source, frame), turned `seen_yaw` and `seen_pitch` degrees within
    the cell; near each of them B has `has` faces (their median) and should have `wants`.
    """

    yaw: tuple[float, float]
    pitch: tuple[float, float]
    seen_yaw: tuple[float, float]
    seen_pitch: tuple[float, float]
    what: str
    frames: int
    first: tuple[str, int]
    has: int
    wants: int

    def __str__(self) -> str:
        seen = f"(yaw {_degrees(self.seen_yaw)}, pitch {_degrees(self.seen_pitch)})"
        return f"{_turn(self.yaw)}, {_tilt(self.pitch)}{', ' + self.what if self.what else ''} {seen}"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The whole answer. `state` is the worst of the checks that are known."""

    state: str
    checks: tuple[Check, ...]
    coverage: Coverage | None
    demands: tuple[Demand, ...]
    thresholds: Thresholds = field(repr=False)


def thresholds_from(values: Sequence[str]) -> Thresholds:
    """Thresholds with `name=value` pairs set. Raises FacesetError naming the pair that cannot be used."""
    known = {item.name: item for item in fields(Thresholds)}
    chosen: dict[str, Any] = {}
    for pair in values:
        name, _, text = pair.partition("=")
        if name not in known:
            raise FacesetError(f"There is no threshold {name!r}. Choose among: {', '.join(sorted(known))}")
        try:
            chosen[name] = int(text) if known[name].type in ("int", int) else float(text)
        except ValueError as wrong:
            raise FacesetError(f"Threshold {name} cannot be {text!r}: it is a number.") from wrong
        if not chosen[name] >= 0:
            raise FacesetError(f"Threshold {name} cannot be {text}: it is at least 0.")
    return Thresholds(**chosen)


def mouth_class(values: Floats, limits: Thresholds) -> NDArray[np.int64]:
    """Index into MOUTHS; unknown counts as closed."""
    return np.digitize(np.nan_to_num(values), [limits.mouth_open, limits.mouth_wide]).astype(np.int64)


def eyes_class(view: FacesetView, limits: Thresholds) -> NDArray[np.int64]:
    """Index into EYES; -1 where nothing is known."""
    if view.gaze is None:
        return np.full(len(view), -1, np.int64)
    left, right = view.gaze[:, 0], view.gaze[:, 1]
    aside = np.digitize((left + right) / 2, [-limits.look_aside, limits.look_aside]) + 1
    found = np.where(left - right > limits.crossed, len(EYES) - 1, aside)
    found = np.where(np.isfinite(left) & np.isfinite(right), found, -1)
    return np.asarray(np.where(view.eyes < limits.eyes_closed, 0, found), np.int64)


def light_class(values: Floats, limits: Thresholds) -> NDArray[np.int64]:
    """Index into LIGHTS; unknown counts as even."""
    return np.digitize(np.nan_to_num(values), [-limits.side_light, limits.side_light]).astype(np.int64)


def _turn(yaw: tuple[float, float]) -> str:
    middle = sum(yaw) / 2
    return "facing the camera" if abs(middle) < 1e-9 else f"turned to the {'right' if middle > 0 else 'left'}"


def _tilt(pitch: tuple[float, float]) -> str:
    middle = sum(pitch) / 2
    return "level" if abs(middle) < 1e-9 else f"looking {'up' if middle > 0 else 'down'}"


def _degrees(seen: tuple[float, float]) -> str:
    low, high = round(seen[0]), round(seen[1])
    return f"{low:+d}°" if low == high else f"{low:+d}° to {high:+d}°"
