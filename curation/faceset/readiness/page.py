"""A readiness report as one HTML file, as JSON and for the terminal."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from ...plain import lines as as_text
from .stretches import Stretch, stretches
from .values import STATES, FacesetView, Readiness

__all__ = ["STYLE", "ReadinessPage", "inline_picture"]

_WORD = {"good": "good", "fair": "fair", "poor": "poor", "unknown": "not looked at"}
_SIGN = {"good": "●", "fair": "◐", "poor": "○", "unknown": "–"}
_ADVICE = {
    "good": "Ready to train on.",
    "fair": "Usable; better with what is listed below.",
    "poor": "Not ready: see what is poor below.",
}
_LISTED = 12
_MOST = "That is most of the clip: to leave it out would leave little of the swap. Collect what is listed below."

STYLE = """
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:0 auto;max-width:68rem;padding:1rem}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
img{max-width:100%;height:auto;border:1px solid #ddd}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid #ddd}
th{font-weight:600;background:#f5f5f5}
td.number{text-align:right;font-variant-numeric:tabular-nums}
.state{white-space:nowrap;font-weight:600}.poor{color:#8f2a00}.fair{color:#6b4a00}.good{color:#00456b}
.unknown{color:#555}.lead{font-size:1.1rem}.small{color:#444;font-size:.9rem}
.phone{display:none}
@media (max-width:40rem){
 .desk{display:none}.phone{display:block}
 table,tbody,tr,td{display:block;width:auto}thead{position:absolute;left:-99rem}
 tr{border:1px solid #ccc;margin:.6rem 0;padding:.3rem}td{border:0;padding:.2rem .4rem}
 td.number{text-align:left}td[data-label]::before{content:attr(data-label) ": ";color:#555}
}
"""


@dataclass(frozen=True, slots=True)
class ReadinessPage:
    """A report and its pictures. `title` names the facesets; `picture` (SVG) is for a desktop, `narrow` for a phone."""

    title: str
    found: Readiness
    faces: FacesetView
    clip: FacesetView | None
    picture: str
    narrow: str

    @property
    def failing(self) -> list[Stretch]:
        """Where in the clip the swap is likely to fail, longest first."""
        if self.clip is None or self.found.coverage is None:
            return []
        return stretches(self.clip, self.found.coverage)

    def to_html(self) -> str:
        """One file that needs no other: pictures inline, no script."""
        body = [
            f"<h1>{escape(self.title)}</h1>",
            f'<p class="lead {self.found.state}">{_SIGN[self.found.state]} {_ADVICE[self.found.state]}</p>',
            f"<p>{escape(self._summary())}</p>",
            inline_picture(self.picture, "desk", self._alt()),
            inline_picture(self.narrow, "phone", self._alt()),
            self._failing_list(),
            self._demand_table(),
            self._check_table(),
            self._small_print(),
        ]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style></head><body>"
            f"{''.join(body)}</body></html>\n"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: state, checks, demands, thresholds, and the coverage of each of the clip's faces."""
        found = self.found
        data: dict[str, Any] = {
            "title": self.title,
            "state": found.state,
            "faces": len(self.faces),
            "checks": [asdict(check) for check in found.checks],
            "collect": [asdict(demand) | {"text": str(demand)} for demand in found.demands],
            "thresholds": asdict(found.thresholds),
        }
        if found.coverage is not None and self.clip is not None:
            clip, coverage = self.clip, found.coverage
            data["coverage"] = {state: round(coverage.share(state), 4) for state in STATES}
            data["frames"] = [
                {
                    "source": clip.source[i],
                    "frame": int(clip.frame[i]),
                    "yaw": _number(clip.yaw[i]),
                    "pitch": _number(clip.pitch[i]),
                    "near": int(near),
                    "state": STATES[int(state)],
                }
                for i, near, state in zip(coverage.order.tolist(), coverage.near, coverage.state, strict=True)
            ]
            data["likely to fail"] = [asdict(stretch) | {"text": str(stretch)} for stretch in self.failing]
        return data

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), separators=(",", ":"))

    def to_text(self) -> str:
        """For the terminal, at most 100 columns."""
        lines = [f"{self.title}: {_WORD[self.found.state]}. {_ADVICE[self.found.state]}", ""]
        for check in self.found.checks:
            lines.append(f"  {_SIGN[check.state]} {check.name:<18} {_WORD[check.state]:<14} {check.found}")
            if check.advice:
                lines.append(f"      → {check.advice}")
        if failing := self.failing:
            lines += ["", "Here the swap is likely to fail, for side B hardly shows such faces:"]
            lines += [f"  {stretch}" for stretch in failing[:_LISTED]]
            command = self._skipping(failing)
            lines.append(f"  To leave them out: {command}" if command else f"  {_MOST}")
        if self.found.demands:
            lines += ["", "Collect more of this, most needed first:"]
            for demand in self.found.demands[:_LISTED]:
                lines.append(f"  {demand}")
                needs = "needs" if demand.frames == 1 else "need"
                lines.append(
                    f"      {_faces(demand.frames)} of the clip {needs} it, first in {_place(demand.first)}; "
                    f"near them side B has {demand.has}, wanted {demand.wants}"
                )
            more = len(self.found.demands) - _LISTED
            if more > 0:
                lines.append(f"  … and {more} more kinds, in the report")
        return as_text(lines)

    def _summary(self) -> str:
        count = len(set(self.faces.source))
        text = f"{len(self.faces):,} faces from {count} source{'s' if count != 1 else ''}."
        if self.clip is not None and self.found.coverage is not None:
            coverage = self.found.coverage
            text += f" The clip has {len(self.clip):,} faces: " + ", ".join(
                f"{coverage.share(state):.0%} {state}" for state in reversed(STATES)
            )
            text += "."
        return text

    def _alt(self) -> str:
        """The picture in words, for those who cannot see it."""
        known = np.isfinite(self.faces.yaw)
        reach = f"{np.nanmin(self.faces.yaw):.0f} to {np.nanmax(self.faces.yaw):.0f}" if known.any() else "unknown"
        return f"Pose map and timeline. {self._summary()} Yaw of the faceset: {reach} degrees."

    def _failing_list(self) -> str:
        failing = self.failing
        if not failing:
            return ""
        items = "".join(f"<li>{escape(str(stretch))}</li>" for stretch in failing[: 3 * _LISTED])
        command = self._skipping(failing)
        told = f"Collect some, or leave the frames out: <code>{escape(command)}</code>" if command else _MOST
        return f"<h2>Where the swap is likely to fail</h2><p>Side B hardly shows such faces. {told}</p><ul>{items}</ul>"

    def _skipping(self, failing: list[Stretch]) -> str:
        """The command that leaves out the longest stretches of the clip with the longest one; "" where they are more
        than half of its faces."""
        assert self.clip is not None, "without a clip nothing fails"
        name = failing[0].source
        chosen = [item for item in failing if item.source == name][:_LISTED]
        frames = [int(frame) for source, frame in zip(self.clip.source, self.clip.frame, strict=True) if source == name]
        left = sum(any(item.first <= frame <= item.last for item in chosen) for frame in frames)
        if 2 * left > len(frames):
            return ""
        return f"galloway convert --source {name} " + " ".join(f"--skip {s.first}-{s.last}" for s in chosen)

    def _demand_table(self) -> str:
        demands = self.found.demands
        if self.clip is None:
            return "<h2>Collect more of this</h2><p>Name side A's faces to see what its clip lacks.</p>"
        if not demands:
            return "<h2>Collect more of this</h2><p>Nothing: every face of the clip is covered.</p>"
        rows = "".join(
            f'<tr><td data-label="Faces">{escape(str(d))}</td>'
            f'<td class="number" data-label="Needed by">{_faces(d.frames)}</td>'
            f'<td data-label="First at">{escape(_place(d.first))}</td>'
            f'<td class="number" data-label="Near them now">{d.has}</td>'
            f'<td class="number" data-label="Wanted">{d.wants}</td></tr>'
            for d in demands[: 3 * _LISTED]
        )
        return (
            "<h2>Collect more of this</h2><table><thead><tr><th>Faces</th><th>Needed by</th><th>First at</th>"
            f"<th>Near them now</th><th>Wanted</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    def _check_table(self) -> str:
        rows = "".join(
            f'<tr><td class="state {check.state}">{_SIGN[check.state]} {escape(check.name)}: {_WORD[check.state]}</td>'
            f'<td data-label="Found">{escape(check.found)}</td><td data-label="Wanted">{escape(check.wanted)}</td>'
            f"<td>{escape(check.advice)}</td></tr>"
            for check in self.found.checks
        )
        return (
            "<h2>Checks</h2><table><thead><tr><th>Check</th><th>Found</th><th>Wanted</th><th>Do</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    def _small_print(self) -> str:
        limits = ", ".join(f"{name} {value:g}" for name, value in asdict(self.found.thresholds).items())
        return (
            "<h2>Where the numbers come from</h2>"
            '<p class="small">The face counts are faceswap’s (USAGE.md: 500 to 5,000 a side; its training guide: 1,000 '
            "to 10,000, more can hurt); DeepFaceLab’s sorter keeps the best 2,000. Angles, cells and shares are ours: "
            "nobody publishes any. Pose comes from 68 landmarks and is good to a few degrees up to about 50° of yaw. "
            f"Set them with <code>--set name=value</code>: {escape(limits)}.</p>"
        )


def inline_picture(svg: str, kind: str, alt: str) -> str:
    """An `img` of class `kind` that holds the SVG itself."""
    data = base64.b64encode(svg.encode()).decode("ascii")
    return f'<img class="{kind}" alt="{escape(alt, quote=True)}" src="data:image/svg+xml;base64,{data}">'


def _number(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def _place(first: tuple[str, int]) -> str:
    """Where a face is needed first: a clip and its frame, or only the source, for photographs have no frames."""
    source, frame = first
    return f"{source} frame {frame}" if frame > 0 else source


def _faces(count: int) -> str:
    return f"{count:,} face{'' if count == 1 else 's'}"
