"""From observations to priors: how likely each face is kept, before anybody is asked.

A prior never removes a face. It starts truth inference, chooses gold and puts like beside like in a grid. All
constants below are ours, chosen on plain grounds and checked with `bench/screen.py`; a set's own votes calibrate them
(`calibrate.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ScreenError
from ..types import FaceId, Side
from .identity import Identity, PersonGroup, match, match_members, person_groups
from .observe import Observation
from .pixels import percentiles
from .twins import twin_leaders

__all__ = ["FLAGS", "Prior", "ScreenSettings", "Screening", "screen"]

Floats = NDArray[np.float64]

FLAGS: dict[str, str] = {
    "blurred": "far less sharp than the set",
    "unclear": "landmarks do not settle: covered, turned away, out of focus or no face",
    "extreme_pose": "turned or tilted too far",
    "dark": "too dark",
    "bright": "too bright",
    "small": "small in the frame",
    "other_person": "unlike the person",
    "twin": "nearly the same as a sharper face beside it",
}


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Thresholds, all ours. Angles in degrees, `small` in frame pixels, `blur_z` in robust deviations of the set."""

    blur_z: float = 2.5
    unclear_jitter: float = 0.05
    yaw_limit: float = 45.0
    pitch_limit: float = 35.0
    dark: float = 0.15
    bright: float = 0.88
    small: float = 48.0
    twin_bits: int = 4
    twin_window: int = 30
    group_margin: float = 0.6
    """Without references: the second group may weigh at most this share of the first, or nothing is said."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What screening believes of one face.

    `p_keep` and `p_same` are probabilities (`p_same` None without identity); `p_usable` leaves identity out.
    `features` holds the figures behind them; `flags` are keys of FLAGS; `twin_of` names the leader whose answer can
    stand for this face; `order` puts like beside like in grids.
    """

    face_id: FaceId
    p_keep: float
    p_same: float | None
    p_usable: float
    features: dict[str, float]
    flags: tuple[str, ...]
    twin_of: FaceId | None
    order: int


@dataclass(frozen=True, slots=True)
class Screening:
    """The priors in the order of the input, and how they came about.

    `identity` is "references", "main group", "ambiguous" or "none"; `warnings` are sentences for the person.
    `groups` are the persons found among clear faces, heaviest first, as indices into `priors`.
    """

    side: Side
    priors: tuple[Prior, ...]
    identity: str
    warnings: tuple[str, ...] = ()
    groups: tuple[PersonGroup, ...] = field(default=(), repr=False)


def screen(
    observations: Sequence[Observation],
    side: Side,
    references: NDArray[np.float32] | None = None,
    settings: ScreenSettings | None = None,
    person: int | None = None,
) -> Screening:
    """Priors for a set. `references` float32 (r, 128) are embeddings of the right person.

    Without references the main group of clear faces is taken, or the `person`-th (from 1) of the groups found; where
    two groups weigh alike nothing is concluded and `p_same` is 0.5. Raises ScreenError if `person` does not exist.
    """
    settings = settings or ScreenSettings()
    if not observations:
        return Screening(side, (), "none")
    table = _Table(observations)
    clear = table.jitter <= settings.unclear_jitter
    how, identity, groups, warnings = _identify(table, clear, references, settings, person)
    p_same = identity.p_same if identity is not None else None
    z = _deviation(table.sharpness, clear if p_same is None else clear & (p_same > 0.5))
    p_usable = _usable(table, z, side, settings)
    if how == "ambiguous":
        p_same = np.full(len(observations), 0.5)
    elif p_same is not None:
        p_same = _tempered(p_same, table.jitter, side, settings)
    keep = p_usable if p_same is None else p_usable * p_same
    believed = _Belief(keep, p_same, p_usable, identity)
    return Screening(side, _priors(observations, table, z, believed, settings), how, tuple(warnings), tuple(groups))


@dataclass(frozen=True, slots=True)
class _Belief:
    """Probabilities of all faces."""

    keep: Floats
    same: Floats | None
    usable: Floats
    identity: Identity | None


def _priors(
    observations: Sequence[Observation], table: _Table, z: Floats, believed: _Belief, settings: ScreenSettings
) -> tuple[Prior, ...]:
    """One prior per observation, with flags, twin and place in the grid."""
    leaders = twin_leaders(
        [o.measures.phash for o in observations],
        [o.source for o in observations],
        [o.frame for o in observations],
        table.sharpness,
        bits=settings.twin_bits,
        window=settings.twin_window,
    )
    flags = _flags(table, z, believed.same, leaders, settings)
    order = _grid_order(table, believed.keep, believed.same)
    ranks = percentiles(table.sharpness)
    return tuple(
        Prior(
            face_id=observation.face_id,
            p_keep=float(believed.keep[i]),
            p_same=None if believed.same is None else float(believed.same[i]),
            p_usable=float(believed.usable[i]),
            features=_features(observation, float(ranks[i]), float(z[i]), believed.identity, i),
            flags=flags[i],
            twin_of=None if leaders[i] == i else observations[int(leaders[i])].face_id,
            order=int(order[i]),
        )
        for i, observation in enumerate(observations)
    )


class _Table:
    """The observations' figures as columns."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        def column(values: list[float]) -> Floats:
            return np.array(values, dtype=np.float64)

        self.sharpness = column([o.measures.sharpness for o in observations])
        self.brightness = column([o.measures.brightness for o in observations])
        self.clipped = column([o.measures.clipped for o in observations])
        self.size = column([o.size for o in observations])
        self.yaw = column([o.yaw for o in observations])
        self.pitch = column([o.pitch for o in observations])
        self.jitter = np.nan_to_num(column([o.jitter for o in observations]), nan=0.0)
        vectors = [o.vector for o in observations]
        self.vectors = None if any(v is None for v in vectors) else np.stack([v for v in vectors if v is not None])


def _identify(
    table: _Table,
    clear: NDArray[np.bool_],
    references: NDArray[np.float32] | None,
    settings: ScreenSettings,
    person: int | None,
) -> tuple[str, Identity | None, list[PersonGroup], list[str]]:
    if table.vectors is None:
        return "none", None, [], ["Identity was not looked at: no embeddings."]
    groups = person_groups(table.vectors, clear)
    if references is not None and len(references):
        found = match(table.vectors, references, clear, groups)
        return "references", found, groups, _doubts(found)
    if person is not None and not 1 <= person <= len(groups):
        raise ScreenError(f"There is no person {person}: {len(groups)} were found. Look: galloway screen --persons")
    if not groups:
        return "ambiguous", None, [], ["No face is clear enough to tell persons apart. Add a reference photograph."]
    chosen = groups[(person or 1) - 1]
    second = len(groups[1].members) / len(groups[0].members) if len(groups) > 1 else 0.0
    found = match_members(table.vectors, chosen.members, clear)
    if person is None and second > settings.group_margin:
        first, next_one = len(groups[0].members), len(groups[1].members)
        open_question = (
            f"Two persons appear about equally often ({first} and {next_one} clear faces): identity is left open. "
            "Add a reference photograph, or choose one: galloway screen --person 1"
        )
        return "ambiguous", found, groups, [open_question]
    return "main group", found, groups, []


def _doubts(found: Identity) -> list[str]:
    if found.belief >= 0.95:
        return []
    if found.belief <= 0.05:
        return ["Nobody here looks like the references: check them, and look at the sheet, before asking anybody."]
    return [
        (
            f"The nearest person is the references' only with probability {found.belief:.2f}. "
            "Add another reference photograph."
        )
    ]


def _deviation(values: Floats, among: NDArray[np.bool_]) -> Floats:
    """Robust deviations from the median of `among` (of all, where these are fewer than five)."""
    base = values[among] if among.sum() >= 5 else values
    middle = float(np.median(base))
    spread = max(1.4826 * float(np.median(np.abs(base - middle))), 0.25)
    return np.asarray((values - middle) / spread, dtype=np.float64)


def _usable(table: _Table, z: Floats, side: Side, settings: ScreenSettings) -> Floats:
    """Probability that nothing but identity speaks against a face, from penalties in log odds.

    Side A keeps blurred, turned and dark faces: only what looks like no face at all counts there, and little.
    """
    unclear = np.maximum(0.0, table.jitter - settings.unclear_jitter / 2) / settings.unclear_jitter
    blur = np.maximum(0.0, -z - settings.blur_z / 2)
    if side is Side.A:
        return np.asarray(1 / (1 + np.exp(-(5.0 - np.minimum(1.5 * unclear + 0.4 * blur, 4.0)))))
    turned = np.maximum(0.0, np.abs(np.nan_to_num(table.yaw)) - settings.yaw_limit * 0.8) / 10
    turned += np.maximum(0.0, np.abs(np.nan_to_num(table.pitch)) - settings.pitch_limit * 0.8) / 10
    light = ((table.brightness < settings.dark) | (table.brightness > settings.bright)).astype(np.float64)
    small = (table.size < settings.small).astype(np.float64)
    odds = 5.0 - 2.0 * unclear - 1.6 * blur - 1.2 * turned - 2.0 * light - 2.0 * small
    return np.asarray(1 / (1 + np.exp(-odds)))


def _tempered(p_same: Floats, jitter: Floats, side: Side, settings: ScreenSettings) -> Floats:
    """Draw the identity of unclear faces towards one half: a blurred face is far from everybody.

    More so on side A, where a blurred face of the right person must not be lost.
    """
    trust = np.clip(1.6 - 0.6 * jitter / settings.unclear_jitter, 0.25 if side is Side.A else 0.7, 1.0)
    return np.asarray(1 / (1 + np.exp(-trust * np.log(p_same / (1 - p_same)))))


def _flags(
    table: _Table, z: Floats, p_same: Floats | None, leaders: NDArray[np.intp], settings: ScreenSettings
) -> list[tuple[str, ...]]:
    columns: dict[str, NDArray[np.bool_]] = {
        "blurred": z < -settings.blur_z,
        "unclear": table.jitter > settings.unclear_jitter,
        "extreme_pose": (np.abs(np.nan_to_num(table.yaw)) > settings.yaw_limit)
        | (np.abs(np.nan_to_num(table.pitch)) > settings.pitch_limit),
        "dark": table.brightness < settings.dark,
        "bright": table.brightness > settings.bright,
        "small": table.size < settings.small,
        "other_person": np.zeros(len(z), dtype=bool) if p_same is None else p_same < 0.1,
        "twin": leaders != np.arange(len(leaders)),
    }
    return [tuple(name for name in FLAGS if columns[name][i]) for i in range(len(z))]


def _grid_order(table: _Table, keep: Floats, p_same: Floats | None) -> NDArray[np.intp]:
    """Positions that put like beside like: by how sure and which way, then by person, then by pose."""
    belief = np.digitize(keep, [0.1, 0.5, 0.9])
    who = np.zeros(len(keep), dtype=np.int64) if p_same is None else np.digitize(p_same, [0.1, 0.9])
    yaw = np.round(np.nan_to_num(table.yaw) / 15)
    pitch = np.round(np.nan_to_num(table.pitch) / 15)
    rank = np.empty(len(keep), dtype=np.intp)
    rank[np.lexsort((pitch, yaw, who, -belief))] = np.arange(len(keep))
    return rank


def _features(
    observation: Observation, rank: float, z: float, identity: Identity | None, index: int
) -> dict[str, float]:
    values = {
        "sharpness": observation.measures.sharpness,
        "sharpness_rank": rank,
        "sharpness_z": z,
        "brightness": observation.measures.brightness,
        "contrast": observation.measures.contrast,
        "light": observation.measures.light,
        "size": observation.size,
        "yaw": observation.yaw,
        "pitch": observation.pitch,
        "roll": observation.roll,
        "jitter": observation.jitter,
    }
    if identity is not None:
        values |= {"distance": float(identity.distance[index]), "score": float(identity.score[index])}
    return {name: round(value, 4) for name, value in values.items() if np.isfinite(value)}
