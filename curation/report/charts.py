"""Small charts as SVG text: light, sharp on any screen, told apart by shape, hatching and lightness, not by hue.

Each chart has a `<title>` for people who hear it. All text is escaped; sizes are user units of the viewBox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan

from markupsafe import Markup, escape

from ..drawing import INK, line, text
from .speech import Speech
from .workers import Rate

__all__ = ["matrix", "rates_over_time", "reliability", "stacked_bar", "whisker"]

BLUE = "#1f5f99"
PALE = "#c9d8e6"
GREY = "#8a8a8a"
_FILLS = (BLUE, "url(#hatch)", "#ffffff", "url(#dots)", PALE, GREY)

PATTERNS = Markup(
    '<svg width="0" height="0" aria-hidden="true" class="defs"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="6" height="6" fill="#f4e3c3"/><rect width="2.4" height="6" fill="#9a5b00"/></pattern>'
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    f'<rect width="6" height="6" fill="#ffffff"/><circle cx="3" cy="3" r="1.5" fill="{INK}"/></pattern>'
    "</defs></svg>"
)
"""The fills that charts refer to; once per page."""


def _svg(width: int, height: int, title: str, body: Sequence[Markup], css: str = "chart") -> Markup:
    # What has links in it is no single picture to whoever hears it.
    role = "group" if "matrix" in css else "img"
    head = Markup('<svg viewBox="0 0 {} {}" class="{}" role="{}"><title>{}</title>').format(
        width, height, css, role, title
    )
    return head + Markup("").join(body) + Markup("</svg>")


def _rect(x: float, y: float, width: float, height: float, fill: str, title: str = "") -> Markup:
    inner = Markup("<title>{}</title>").format(title) if title else Markup("")
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="{}" {}>{}</rect>'
    ).format(x, y, max(width, 0.0), height, fill, INK, Markup('stroke-width=".7"'), inner)


def stacked_bar(parts: Sequence[tuple[str, int]], title: str, speech: Speech) -> Markup:
    """Shares of a whole as one bar, and its key as text that does not shrink; each part has its own hatching."""
    total = sum(size for _, size in parts) or 1
    width = 640.0
    body: list[Markup] = []
    key: list[Markup] = []
    at = 0.0
    for place, (name, size) in enumerate(parts):
        fill = _FILLS[place % len(_FILLS)]
        span = width * size / total
        told = speech.numerals(f"{size:,}"), speech.numerals(f"{size / total:.1%}")
        body.append(_rect(at, 2, span, 26, fill, f"{name}: {told[0]} ({told[1]})"))
        at += span
        swatch = Markup('<svg viewBox="0 0 14 14" class="swatch" aria-hidden="true">{}</svg>').format(
            _rect(1, 1, 12, 12, fill)
        )
        key.append(Markup("<li>{} {} {} ({})</li>").format(swatch, name, *told))
    bar = _svg(640, 30, title, body, "chart wide")
    return bar + Markup('<ul class="key">{}</ul>').format(Markup("").join(key))


def whisker(rate: Rate, speech: Speech, *, reference: float | None = None) -> Markup:
    """A rate as a dot on a 0–100 % line with its interval; a tick marks the crowd's."""
    if isnan(rate.value):
        return Markup("")
    body = [line(2, 8, 118, 8, dash="1 3"), line(2 + 116 * rate.low, 8, 2 + 116 * rate.high, 8, width=3)]
    if reference is not None and not isnan(reference):
        body.append(line(2 + 116 * reference, 1, 2 + 116 * reference, 15))
    body.append(Markup('<circle cx="{:.1f}" cy="8" r="4" fill="{}" stroke="#fff"/>').format(2 + 116 * rate.value, BLUE))
    said = speech.gettext("%(share)s, between %(low)s and %(high)s")
    title = said % {"share": f"{rate.value:.0%}", "low": f"{rate.low:.0%}", "high": f"{rate.high:.0%}"}
    return _svg(120, 16, title, body, "spark")


def _frame(left: float, top: float, size: float, height: float, x_name: str, y_name: str) -> list[Markup]:
    body = [line(left, top + height, left + size, top + height), line(left, top, left, top + height)]
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = top + height * (1 - part)
        body += [line(left - 4, y, left, y), text(left - 7, y + 4, f"{part:.0%}", anchor="end", size=10)]
    body.append(text(left + size / 2, top + height + 32, x_name, anchor="middle"))
    body.append(text(left - 34, top - 8, y_name))
    return body


def reliability(bins: Sequence[tuple[float, Rate, int]], speech: Speech) -> Markup:
    """Stated confidence against the rate of right labels; on the dashed line both are equal. Dot area is tasks."""
    left, top, size = 48.0, 24.0, 260.0
    said = speech.gettext
    body = _frame(left, top, size, size, said("stated confidence"), said("rate right"))
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        body.append(text(left + size * part, top + size + 15, f"{part:.0%}", anchor="middle", size=10))
    body.append(line(left, top + size, left + size, top, dash="4 4"))
    most = max((tasks for _, _, tasks in bins), default=1)
    for confidence, right, tasks in bins:
        x, y = left + size * confidence, top + size * (1 - right.value)
        body.append(line(x, top + size * (1 - right.low), x, top + size * (1 - right.high)))
        dot = '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" stroke="{}"><title>{}</title></circle>'
        title = said("%(count)s stated at %(share)s, %(right)s right") % {
            "count": tasks, "share": f"{confidence:.0%}", "right": f"{right.value:.0%}"
        }  # fmt: skip
        body.append(Markup(dot).format(x, y, 3 + 6 * (tasks / most) ** 0.5, PALE, INK, title))
    return _svg(330, 330, said("Reliability diagram"), body)


def rates_over_time(spans: Sequence[Rate], reference: float, speech: Speech) -> Markup:
    """Agreement in consecutive parts of a worker's votes, with intervals; the dashed line is the crowd's."""
    left, top, width, height = 48.0, 24.0, 240.0, 110.0
    said = speech.gettext
    body = _frame(left, top, width, height, said("from first vote to last"), said("agrees with the others"))
    if not isnan(reference):
        y = top + height * (1 - reference)
        body.append(line(left, y, left + width, y, dash="4 4"))
    previous: tuple[float, float] | None = None
    for place, span in enumerate(spans):
        x, y = left + width * (place + 0.5) / len(spans), top + height * (1 - span.value)
        body.append(line(x, top + height * (1 - span.low), x, top + height * (1 - span.high)))
        if previous:
            body.append(line(*previous, x, y, width=1.8))
        body.append(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}"/>').format(x, y, BLUE))
        previous = (x, y)
    return _svg(300, 175, said("Agreement over time"), body)


def matrix(
    names: Sequence[str],
    value: Callable[[int, int], float],
    link: Callable[[int, int], str | None],
    title: str,
    joint: str,
) -> Markup:
    """A square of shares: the darker, the higher; NaN is an empty cell. With few names the figure is printed too."""
    count = len(names)
    cell = 34.0 if count <= 16 else 15.0
    left = 96.0
    size = left + cell * count + 4
    body: list[Markup] = []
    for row in range(count):
        y = left + cell * row
        body.append(text(left - 6, y + cell / 2 + 4, names[row][:14], anchor="end", size=10))
        turned = Markup('<g transform="translate({:.1f} {:.1f}) rotate(-60)">{}</g>')
        body.append(turned.format(left + cell * (row + 0.6), left - 6, text(0, 0, names[row][:14], size=10)))
        for column in range(count):
            share = value(row, column)
            if row == column or isnan(share):
                continue
            body.append(
                _cell(left + cell * column, y, cell, share, f"{names[row]} {joint} {names[column]}", link(row, column))
            )
    return _svg(int(size) + 60, int(size), title, body, "chart matrix")


def _cell(x: float, y: float, cell: float, share: float, who: str, href: str | None) -> Markup:
    shade = round(250 - 215 * max(0.0, min(1.0, (share - 0.3) / 0.7)))
    drawn = _rect(x, y, cell - 1, cell - 1, f"rgb({shade},{shade},{min(255, shade + 12)})", f"{who}: {share:.0%}")
    if cell > 20:
        ink = "#fff" if shade < 140 else INK
        drawn += text(x + cell / 2, y + cell / 2 + 4, f"{share * 100:.0f}", anchor="middle", size=10, fill=ink)
    return Markup('<a href="{}">{}</a>').format(escape(href), drawn) if href else drawn
