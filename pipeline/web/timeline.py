"""A film as bands: what the measures suspect and what people said, frame by frame. Inline SVG without text, so that it
can be as wide as the page; the words stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup, escape

from ...mturk.marketplace.pages.words import said
from ..judging.judge import Judged
from ..judging.moments import FrameDoubt
from ..workspace.judged import Moment

__all__ = ["MEASURE_KINDS", "Bands", "timeline"]

MEASURE_KINDS = {
    "identity": "person",
    "pose error": "shape",
    "expression error": "mouth",
    "lip sync error": "mouth",
    "eye sync error": "mouth",
    "jitter": "flicker",
    "flicker": "flicker",
    "border colour": "edge",
    "border edge": "edge",
    "colour": "edge",
}
"""Measure → the kind of fault that it shows, which is its colour."""
_WIDTH, _CURVE, _COVER, _BAND, _GAP = 1000, 44, 10, 26, 6
_MOST = 4.0
"""The curve ends at so many times what is noticeable."""
_LEAST = 2.5
"""So wide is a moment drawn at least."""


@dataclass(frozen=True, slots=True)
class Bands:
    """What a timeline shows of a film of `frames` frames: which show a swapped face (`swapped`, first and last), what
    the measures say of each, its moments, and what people said of them."""

    frames: int
    rate: Fraction
    swapped: Sequence[tuple[int, int]] = ()
    doubts: Sequence[FrameDoubt] = ()
    moments: Sequence[Moment] = ()
    judged: Sequence[Judged] = ()


def timeline(bands: Bands) -> Markup:
    """The curve of the worst measure, where the swap is seen, the moments by measure, and those by judgement; each
    where there is any. Empty where no frame is swapped."""
    if not bands.frames or not (bands.swapped or bands.moments):
        return Markup("")
    end, top, parts = bands.frames, 0, []
    if bands.doubts:
        parts.append(_curve(bands.doubts, end))
        top += _CURVE + _GAP
    parts += [_cover(first, last, end, top) for first, last in bands.swapped]
    top += _COVER
    if bands.moments:
        top += _GAP
        parts += [_band(moment, end, top, _kind(moment), moment.why) for moment in bands.moments]
        top += _BAND
    if bands.judged:
        top += _GAP
        parts += [
            _band(item.moment, end, top, f"j-{item.status}", f"{item.status} {item.fault}".strip())
            for item in bands.judged
        ]
        top += _BAND
    low = "" if bands.doubts or bands.moments else " low"
    suspicious = sum(bool(moment.why) for moment in bands.moments)
    told = said(f"Timeline of {float(end / bands.rate):.1f} seconds: {suspicious} suspicious moments")
    return Markup(
        f'<svg class="timeline{low}" viewBox="0 0 {_WIDTH} {top}" preserveAspectRatio="none" role="group" '
        f'aria-label="{escape(told)}">{"".join(parts)}</svg>'
    )


def _kind(moment: Moment) -> str:
    return f"m-{MEASURE_KINDS.get(moment.why, 'edge')}" if moment.why else "calm"


def _cover(first: int, last: int, end: int, top: float) -> str:
    x = _x(first, end)
    return (
        f'<rect class="cover" x="{x:.2f}" y="{top}" width="{max(_LEAST, _x(last + 1, end) - x):.2f}" height="{_COVER}">'
        f"<title>{escape(said(f'frames {first} to {last} show the swap'))}</title></rect>"
    )


def _x(frame: float, end: int) -> float:
    return (frame - 1) / max(end, 1) * _WIDTH


def _band(moment: Moment, end: int, top: float, name: str, told: str) -> str:
    x = _x(moment.first, end)
    width = max(_LEAST, _x(moment.last + 1, end) - x)
    title = escape(f"{said(f'frames {moment.first} to {moment.last}')}: {said(told or 'calm')}")
    return (
        f'<a href="#moment-{moment.number}" data-frame="{moment.first}"><rect class="{name}" x="{x:.2f}" y="{top}" '
        f'width="{width:.2f}" height="{_BAND}"><title>{title}</title></rect></a>'
    )


def _curve(doubts: Sequence[FrameDoubt], end: int) -> str:
    """Bars of the worst frame of each span, at most 500, and the line from which on a frame is worth a look."""
    spans: dict[int, float] = {}
    step = max(1, -(-end // 500))
    for item in doubts:
        spans[(item.frame - 1) // step] = max(spans.get((item.frame - 1) // step, 0.0), item.doubt)
    wide = step / max(end, 1) * _WIDTH
    bars = "".join(
        f'<rect class="{"doubt over" if value > 1 else "doubt"}" x="{place * wide:.2f}" '
        f'y="{_CURVE * (1 - min(value, _MOST) / _MOST):.2f}" width="{wide:.2f}" '
        f'height="{_CURVE * min(value, _MOST) / _MOST:.2f}"/>'
        for place, value in sorted(spans.items())
    )
    line = _CURVE * (1 - 1 / _MOST)
    return f'{bars}<line class="limit" x1="0" x2="{_WIDTH}" y1="{line}" y2="{line}"/>'
