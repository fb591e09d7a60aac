"""What was picked as one HTML file, as JSON and in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..readiness.page import STYLE, inline_picture
from .choose import Cell, Picked
from .picture import pick_svg

__all__ = ["PickPage"]

_LISTED = 2000
_SAID = 8


@dataclass(frozen=True, slots=True)
class PickPage:
    """`picked` of the faces called `names`, by rows; `lacking` are the clip's cells of which there is no face, with how
    many of its frames lie in them. `against` says whether a clip was named at all."""

    title: str
    names: tuple[str, ...]
    picked: Sequence[Picked]
    lacking: Sequence[tuple[Cell, int]]
    against: bool

    @property
    def chosen(self) -> list[str]:
        """The names of the faces that were picked, best first."""
        return [self.names[item.row] for item in self.picked]

    def summary(self) -> str:
        """One sentence."""
        cells = len({item.cell for item in self.picked})
        text = f"{len(self.picked):,} of {len(self.names):,} faces picked, of {cells} kinds (pose × mouth × light)."
        if self.against and not self.lacking:
            return text + " Every kind that the clip has is there."
        frames = sum(count for _, count in self.lacking)
        return text + (f" {len(self.lacking)} kinds lack, in {frames:,} of the clip's frames." if self.lacking else "")

    def as_dict(self) -> dict[str, Any]:
        """For JSON: every face with its reason, and what lacks."""
        return {
            "picked": [{"name": self.names[item.row], "reason": item.reason} for item in self.picked],
            "of": len(self.names),
            "lacking": [{"cell": str(cell), "frames": frames} for cell, frames in self.lacking],
        }

    def to_json(self) -> str:
        """`as_dict` as text."""
        return json.dumps(self.as_dict(), indent=1) + "\n"

    def to_text(self) -> str:
        """A line a face, with its reason."""
        return "\n".join(f"{self.names[item.row]}  {item.reason}" for item in self.picked)

    def lacks(self) -> list[str]:
        """What lacks most, a line each."""
        return [f"Lacking: {cell} ({frames} of the clip's frames)" for cell, frames in self.lacking[:_SAID]]

    def picture(self, *, narrow: bool = False) -> str:
        """The map as SVG."""
        return pick_svg(self.picked, self.lacking, narrow=narrow)

    def to_html(self) -> str:
        """One file that needs no other: pictures inline, no script."""
        pictures = [
            inline_picture(self.picture(narrow=narrow), kind, f"Map. {self.summary()}")
            for narrow, kind in ((False, "desk"), (True, "phone"))
        ]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(self.title)}</title><style>{STYLE}</style></head><body><h1>{escape(self.title)}</h1>"
            f'<p class="lead">{escape(self.summary())}</p>{"".join(pictures)}{self._lacking()}{self._picked()}'
            "</body></html>\n"
        )

    def _lacking(self) -> str:
        if not self.against:
            return "<h2>What lacks</h2><p>Name side A's faces to see what its clip needs.</p>"
        if not self.lacking:
            return "<h2>What lacks</h2><p>Nothing.</p>"
        rows = "".join(
            f'<tr><td data-label="Faces">{escape(str(cell))}</td>'
            f'<td class="number" data-label="The clip\'s frames">{frames:,}</td></tr>'
            for cell, frames in self.lacking[:_LISTED]
        )
        return (
            "<h2>What lacks</h2><table><thead><tr><th>Faces</th><th>The clip's frames</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )

    def _picked(self) -> str:
        rows = "".join(
            f'<tr><td data-label="Face">{escape(self.names[item.row])}</td>'
            f'<td data-label="Why">{escape(item.reason)}</td></tr>'
            for item in self.picked[:_LISTED]
        )
        return (
            "<h2>Picked, in this order</h2><table><thead><tr><th>Face</th><th>Why</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )
