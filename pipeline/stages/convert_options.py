"""What may be chosen of a conversion: all of a film, or parts of one that is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..engines.base import FrameRange, Kept, frames_in, spans, swap_share
from ..errors import StageError
from .measure import noted_ranges

__all__ = ["SOFT", "Again", "ConvertOptions", "pairs_of", "parse_ranges"]

SOFT = 4
"""Frames over which the swap comes and goes beside what people left out."""


@dataclass(frozen=True, slots=True)
class Again:
    """Frames of a film that are made anew, with the film's record; with `leave` they become the source's own."""

    film: Path
    record: Mapping[str, Any]
    ranges: tuple[FrameRange, ...]
    leave: bool

    def skip(self) -> tuple[FrameRange, ...]:
        """What the new film leaves as it was."""
        return self.of_the_source(noted_ranges(self.record, "skip"))

    def drawn(self) -> tuple[FrameRange, ...]:
        """The frames that are made anew: `ranges`, and beside them those in which the swap comes or goes as it did not
        before."""
        fade = int(self.record["settings"].get("fade") or 0)
        before, now = noted_ranges(self.record, "skip"), self.skip()
        swapped = frames_in(noted_ranges(self.record, "swapped_frames"))
        beside = {n for n in swapped if swap_share(n, before, fade) != swap_share(n, now, fade)}
        return spans(sorted(beside | frames_in(self.ranges)))

    def kept(self) -> Kept:
        """What stays of the film."""
        return Kept(self.film, self.drawn(), noted_ranges(self.record, "swapped_frames"))

    def still_hidden(self) -> set[int]:
        """Frames that stay of the film in which most of a face is hidden."""
        return frames_in(noted_ranges(self.record, "hidden_frames")) - frames_in(self.drawn())

    def of_the_source(self, before: Sequence[FrameRange]) -> tuple[FrameRange, ...]:
        """The frames `before` that were as the source has them: without what is drawn now, or with what is left now."""
        old, now = frames_in(before), frames_in(self.ranges)
        return spans(sorted(old | now if self.leave else old - now))

    def of_ranges(self) -> tuple[FrameRange, ...]:
        """The only frames that the new film swaps; () for all."""
        before = noted_ranges(self.record, "ranges")
        if not before or self.leave:
            return before
        return spans(sorted(frames_in(before) | frames_in(self.ranges)))

    def where(self) -> dict[str, Any] | None:
        """What people have left of the film after this; None where they never did."""
        where = self.record.get("where")
        if where is None and not self.leave:
            return None
        return {"left": pairs_of(self.of_the_source(noted_ranges(where or {}, "left")))}

    def note(self, run: str) -> dict[str, Any]:
        """What the new film's record says of it."""
        return {"frames": pairs_of(self.ranges), "run": run, "left": self.leave}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions:
    """What the command line may choose.

    `model` is a run's id or a folder's name in models/ (None: the newest, of `engine` where that is given). `source`
    may stay open where there is one video; without `output` the codec says where it goes. `codec`, `crf`,
    `preset`, `rate`, `ranges` and `skip` are as in `ConvertRequest`. With `approved`, frames in which the swap does not
    hold keep their own pixels, as people said of the result that is there (`galloway review-swap`). Over `fade` frames
    beside what is left the swap comes and goes (None: SOFT where people said what is left, else none). The film says in
    the picture that it was changed and carries a mark in its pixels, unless `no_label` and `no_mark` say why not, which
    is recorded and signed.
    """

    source: str | None = None
    model: str | None = None
    engine: str | None = None
    output: Path | None = None
    ranges: Sequence[FrameRange] = ()
    skip: Sequence[FrameRange] = ()
    fade: int | None = None
    approved: bool = False
    mask: str = "extended"
    color: str = "avg-color"
    writer: str = "ffmpeg"
    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    rate: Fraction | None = None
    no_label: str = ""
    no_mark: str = ""
    again: Again | None = None
    """Parts of an earlier film, `ranges`, that are made anew; all its other frames stay."""
    options: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """What the record of the film keeps of them, and what makes another film where it differs."""
        fade = (SOFT if self.approved else 0) if self.fade is None else self.fade
        own = {"mask": self.mask, "color": self.color, "codec": self.codec, "crf": self.crf, "preset": self.preset}
        # Where no model was named the record's run alone says which it was, and parts are made anew with the newest.
        named = {} if self.model is None else {"model": self.model}
        return {**own, "fade": fade, **named, **self.options}


def parse_ranges(texts: Sequence[str]) -> tuple[FrameRange, ...]:
    """`"10-40"` or `"7"` → ranges, frames counted from 1. Raises StageError for anything else."""
    ranges = []
    for text in texts:
        first, _, last = text.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise StageError(f"{text!r} is no frame range. Write FIRST-LAST, counted from 1, such as 10-40.")
        span = FrameRange(int(first), int(last or first))
        if span.first < 1 or span.last < span.first:
            raise StageError(f"{text!r} is no frame range: it starts before 1 or ends before it starts.")
        ranges.append(span)
    return tuple(ranges)


def pairs_of(ranges: Sequence[FrameRange]) -> list[list[int]]:
    """Ranges as records hold them: first and last frame."""
    return [[item.first, item.last] for item in ranges]
