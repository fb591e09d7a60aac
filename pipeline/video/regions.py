"""Parts of a film in which no face counts: keyframed rectangles and polygons, as JSON. Values and rules without I/O.

    {"regions": [{"name": "the other man", "frames": [1, 240],
                  "keys": [{"frame": 1, "rectangle": [20, 30, 200, 220]},
                           {"frame": 120, "rectangle": [80, 30, 200, 220]},
                           {"frame": 200, "polygon": [[80, 30], [280, 30], [300, 250], [60, 250]]}]}]}

Coordinates are pixels of the upright frame, x to the right and y down; a rectangle is x, y, width, height. Between two
keys corners move in straight lines, before the first and after the last they stand; `frames` says from which frame to
which the region counts (all where it is left out). Frames are counted from 1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import StageError

__all__ = ["Key", "Region", "Regions", "parse_regions", "regions_json", "with_rectangle", "without_key"]

MOST_REGIONS, MOST_KEYS, MOST_CORNERS = 50, 2000, 60
_FAR = 100_000.0
Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Key:
    """Where a region's corners are at a frame, in order around it."""

    frame: int
    corners: tuple[Corner, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """One moving part of the picture; `first` and `last` say when it counts, None: from the start, to the end."""

    name: str
    keys: tuple[Key, ...]
    first: int | None = None
    last: int | None = None

    def at(self, frame: int) -> tuple[Corner, ...]:
        """Its corners at a frame; () where it does not count."""
        if (self.first is not None and frame < self.first) or (self.last is not None and frame > self.last):
            return ()
        if frame <= self.keys[0].frame:
            return self.keys[0].corners
        for one, other in pairwise(self.keys):
            if frame <= other.frame:
                share = (frame - one.frame) / (other.frame - one.frame)
                return tuple(
                    (ax + (bx - ax) * share, ay + (by - ay) * share)
                    for (ax, ay), (bx, by) in zip(one.corners, other.corners, strict=True)
                )
        return self.keys[-1].corners

    def holds(self, frame: int, x: float, y: float) -> bool:
        """Whether a point lies in it at a frame, by the even-odd rule; on a left or upper edge it does."""
        corners = self.at(frame)
        inside = False
        for (ax, ay), (bx, by) in zip(corners, (*corners[1:], *corners[:1]), strict=True):
            if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
                inside = not inside
        return inside


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of one film."""

    regions: tuple[Region, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.regions)

    def masks(self, frame: int | None, box: Sequence[float]) -> bool:
        """Whether a face at x, y, width, height counts for nothing: its centre lies in a region at that frame.

        A photograph has no frame number; it is frame 1 of itself.
        """
        x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
        return any(region.holds(frame or 1, x, y) for region in self.regions)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


_Number = float


class _Key(_Strict):
    frame: int = Field(ge=1, le=10**8)
    rectangle: list[_Number] | None = None
    polygon: list[list[_Number]] | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> _Key:
        if (self.rectangle is None) == (self.polygon is None):
            raise ValueError("give either a rectangle or a polygon")
        if self.rectangle is not None:
            _check_rectangle(self.rectangle)
        else:
            _check_polygon(self.polygon or [])
        return self

    def corners(self) -> tuple[Corner, ...]:
        """In order around the shape."""
        if self.rectangle is None:
            return tuple((x, y) for x, y in self.polygon or [])
        x, y, width, height = self.rectangle
        return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def _check_rectangle(values: list[float]) -> None:
    if len(values) != 4:
        raise ValueError(f"a rectangle is [x, y, width, height], not {len(values)} numbers")
    if values[2] <= 0 or values[3] <= 0:
        raise ValueError(f"a rectangle's width and height are above 0, not {values[2]:g} and {values[3]:g}")
    if max(map(abs, values)) > _FAR:
        raise ValueError(f"{max(values, key=abs):g} pixels is far outside of any frame")


def _check_polygon(corners: list[list[float]]) -> None:
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise ValueError(f"a polygon has 3 to {MOST_CORNERS} corners, not {len(corners)}")
    for place, corner in enumerate(corners, 1):
        if len(corner) != 2:
            raise ValueError(f"corner {place} is [x, y], not {len(corner)} numbers")
        if max(map(abs, corner)) > _FAR:
            raise ValueError(f"corner {place} is far outside of any frame")


class _Region(_Strict):
    name: str = Field(default="", max_length=80)
    frames: list[int] | None = None
    keys: list[_Key] = Field(min_length=1, max_length=MOST_KEYS)

    @model_validator(mode="after")
    def _in_order(self) -> _Region:
        if self.frames is not None and (len(self.frames) != 2 or not 1 <= self.frames[0] <= self.frames[1]):
            raise ValueError("frames is [first, last], counted from 1, the first not after the last")
        for one, other in pairwise(self.keys):
            if one.frame >= other.frame:
                raise ValueError(f"the key at frame {other.frame} stands after that at {one.frame}; put them in order")
            if len(one.corners()) != len(other.corners()):
                raise ValueError(
                    f"{len(one.corners())} corners at frame {one.frame} cannot become {len(other.corners())} at frame "
                    f"{other.frame}; give the same number (a rectangle has 4)"
                )
        return self


class _File(_Strict):
    regions: list[_Region] = Field(max_length=MOST_REGIONS)


def parse_regions(text: str | bytes, called: str, *, frames: int | None = None) -> Regions:
    """The regions in a JSON text. Raises StageError naming the place and what is wrong with it.

    `frames` is how many the film has, where that is known: a key after its end is a slip.
    """
    try:
        found = _File.model_validate(json.loads(text, parse_constant=_no_number))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise StageError(f"{called}: {_place(wrong['loc'])}{_why(wrong)}.") from error
    except (ValueError, RecursionError) as error:
        raise StageError(f"{called} is no JSON ({str(error) or 'nested too deep'}).") from error
    made = tuple(_region(item) for item in found.regions)
    for number, region in enumerate(made, 1):
        if frames is not None and (late := [key.frame for key in region.keys if key.frame > frames]):
            raise StageError(f"{called}: region {number} has a key at frame {late[0]}; the film has {frames} frames.")
    return Regions(made)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of pixels")


def _place(where: Sequence[int | str]) -> str:
    """`regions.0.keys.1.polygon` as people count: region 1, key 2, polygon."""
    words = [str(part) for part in where]
    told = []
    while words:
        word = words.pop(0)
        if word in ("regions", "keys") and words and words[0].isdigit():
            told.append(f"{word[:-1]} {int(words.pop(0)) + 1}")
        else:
            told.append(word)
    return f"{', '.join(told)}: " if told else ""


def _why(wrong: Any) -> str:
    message = str(wrong["msg"]).removeprefix("Value error, ").rstrip(".")
    return "there is no such setting" if wrong["type"] == "extra_forbidden" else message[:1].lower() + message[1:]


def _region(item: _Region) -> Region:
    first, last = item.frames or (None, None)
    return Region(item.name, tuple(Key(key.frame, key.corners()) for key in item.keys), first, last)


def regions_json(regions: Regions) -> str:
    """The same as `parse_regions` reads; rectangles as rectangles."""
    rows = []
    for region in regions.regions:
        row: dict[str, Any] = {"name": region.name}
        if region.first is not None and region.last is not None:
            row["frames"] = [region.first, region.last]
        row["keys"] = [{"frame": key.frame, **_shape(key.corners)} for key in region.keys]
        rows.append(row)
    return json.dumps({"regions": rows}, indent=1) + "\n"


def _shape(corners: tuple[Corner, ...]) -> dict[str, Any]:
    (left, top), (right, bottom) = corners[0], corners[2]
    if corners == ((left, top), (right, top), (right, bottom), (left, bottom)) and right > left and bottom > top:
        return {"rectangle": [left, top, right - left, bottom - top]}
    return {"polygon": [list(corner) for corner in corners]}


def with_rectangle(regions: Regions, number: int, name: str, frame: int, rectangle: Sequence[float]) -> Regions:
    """With a rectangle as the key at `frame` of region `number` (from 1; 0: of a new one), which is called `name`."""
    x, y, width, height = rectangle
    key = Key(frame, ((x, y), (x + width, y), (x + width, y + height), (x, y + height)))
    if not 1 <= number <= len(regions.regions):
        return Regions((*regions.regions, Region(name, (key,))))
    old = regions.regions[number - 1]
    keys = sorted([*(one for one in old.keys if one.frame != frame), key], key=lambda one: one.frame)
    new = Region(name or old.name, tuple(keys), old.first, old.last)
    return Regions((*regions.regions[: number - 1], new, *regions.regions[number:]))


def without_key(regions: Regions, number: int, frame: int) -> Regions:
    """Without the key at `frame` of region `number`; without the region where that was its only one."""
    found = []
    for place, region in enumerate(regions.regions, 1):
        keys = tuple(key for key in region.keys if place != number or key.frame != frame)
        if keys:
            found.append(Region(region.name, keys, region.first, region.last))
    return Regions(tuple(found))
