"""The design language on one page: the tokens, and every component that pages are made of, with how it is used."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint, render_template

from ..judging.judge import Judged
from ..judging.moments import FrameDoubt
from ..workspace.judged import Moment
from .plots import loss_plot
from .timeline import Bands, timeline

__all__ = ["TOKENS", "blueprint"]

blueprint = Blueprint("components", __name__)

TOKENS = {
    "ink": "text",
    "soft": "text that explains",
    "back": "the page",
    "card": "a card, a field",
    "line": "lines between things",
    "edge": "the edge of what is pressed or filled in",
    "tint": "the ground of code, tags, empty pictures",
    "act": "links and focus",
    "fill": "the main button; white stands on it",
    "good": "approved, done",
    "bad": "rejected, failed, dangerous",
    "warn": "needs a look",
    "doubt": "in dispute",
    "none": "nobody said anything",
    "active": "begun, not done",
    "idle": "not begun",
    "a": "side A",
    "b": "side B",
    "navy": "the head of every page",
}
"""The tokens that a new page needs, with what each is for. The sheet has some more, of one component each."""


@blueprint.get("/components")
def page() -> str:
    """Every component, with made-up values."""
    losses = [(float(at), 0.2 / (1 + at / 40) + 0.02) for at in range(0, 400, 10)]
    moments = [Moment(1, 1, 30, ""), Moment(2, 31, 45, "identity"), Moment(3, 46, 60, "jitter"), Moment(4, 61, 96, "")]
    doubts = [FrameDoubt(at, "identity", 2.0 if 31 <= at <= 45 else 0.4) for at in range(1, 97)]
    judged = [
        Judged(moment, status, "", 1.0, 3, 3)
        for moment, status in zip(moments, ("fine", "broken", "disputed", "unasked"), strict=True)
    ]
    film = timeline(Bands(96, Fraction(12), [(1, 60), (66, 96)], doubts, moments, judged))
    plot = loss_plot(losses, [(at, value * 1.3) for at, value in losses])
    return render_template("components.html", tokens=TOKENS, plot=plot, film=film)
