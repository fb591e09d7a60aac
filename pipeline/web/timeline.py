"""A film as bands: what the measures suspect and what people said, frame by frame. Inline SVG without text, so that it
can be as wide as the page; the words stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup, escape

from ..judging.judge import Judged
from ..judging.moments import FrameDoubt
from ..workspace.judged import Moment

__all__ = ["MEASURE_KINDS", "timeline"]

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
_WIDTH, _CURVE, _BAND, _GAP = 1000, 44, 26, 6
_MOST = 4.0
"""The curve ends at so many times what is noticeable."""
_LEAST = 2.5
"""So wide is a moment drawn at least."""


def timeline(
    moments: Sequence[Moment], judged: Sequence[Judged], doubts: Sequence[FrameDoubt], rate: Fraction
) -> Markup:
    """The curve of the worst measure, the moments by measure, and those by judgement where there are any. Empty where
    no frame is swapped."""
    if not moments:
        return Markup("")
    end = max(moment.last for moment in moments)
    parts = [_curve(doubts, end)]
    parts += [
        _band(
            moment,
            end,
            _CURVE + _GAP,
            f"m-{MEASURE_KINDS.get(moment.why, 'edge')}" if moment.why else "calm",
            moment.why,
        )
        for moment in moments
    ]
    top = _CURVE + 2 * _GAP + _BAND
    parts += [
        _band(item.moment, end, top, f"j-{item.status}", f"{item.status} {item.fault}".strip()) for item in judged
    ]
    height = top + (_BAND if judged else -_GAP)
    said = (
        f"Timeline of {float(end / rate):.1f} seconds: {sum(bool(moment.why) for moment in moments)} suspicious moments"
    )
    return Markup(
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def _x(frame: float, end: int) -> float:
    return (frame - 1) / max(end, 1) * _WIDTH


def _band(moment: Moment, end: int, top: float, name: str, said: str) -> str:
    x = _x(moment.first, end)
    width = max(_LEAST, _x(moment.last + 1, end) - x)
    title = escape(f"frames {moment.first} to {moment.last}: {said or 'calm'}")
    return (
        f'<a href="#moment-{moment.number}"><rect class="{name}" x="{x:.2f}" y="{top}" width="{width:.2f}" '
        f'height="{_BAND}"><title>{title}</title></rect></a>'
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
