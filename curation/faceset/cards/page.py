"""A dataset card as one HTML file and for the terminal. No face is shown: a card may travel further than the faces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from ...plain import lines as as_text
from ..readiness.page import STYLE
from .card import Card, QuestionRecord, SourceRecord

__all__ = ["card_html", "card_text"]

_EXTRA = """
table+table{margin-top:1.2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem}dt{color:#555}dd{margin:0}
code{overflow-wrap:anywhere}.gap{border-left:4px solid #8f2a00;padding-left:.7rem}
@media (max-width:40rem){dl{grid-template-columns:1fr}dt{margin-top:.5rem}}
"""


def card_html(card: Card) -> str:
    """One file that needs no other."""
    title = f"Faceset {card.id}"
    facts = [
        ("Side", f"{card.side.upper()}: {_SIDES[card.side]}" if card.side in _SIDES else card.side),
        ("Faces", f"{len(card.faces):,}"),
        ("Left out", f"{card.excluded:,}"),
        ("Approved", _moment(card.approved_at)),
        ("Merge", card.merge_id),
        ("Made from", ", ".join(card.parents) or "nothing earlier: the first of its line"),
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    gaps = "".join(f'<p class="gap">{escape(text)}</p>' for text in card.gaps())
    notes = "".join(f"<p>{escape(text)}</p>" for text in card.notes)
    body = (
        f"<h1>{escape(title)}</h1><dl>{rows}<dt>Digest</dt><dd><code>{escape(card.digest)}</code></dd></dl>"
        + (f"<h2>Know before you use it</h2>{gaps}" if gaps else "")
        + "<h2>Who is in it, and on what basis</h2>"
        + _table(
            ("Source", "Person", "Basis", "Record", "Faces"),
            [(s.name, s.person or "not recorded", s.basis_text, s.note or "–", f"{s.faces:,}") for s in card.sources],
        )
        + _pictures(card.sources)
        + "<h2>What was asked</h2>"
        + _questions(card.questions)
        + "<h2>What was left out</h2>"
        + _table(
            ("Reason", "Faces"),
            [(name.replace("_", " "), f"{count:,}") for name, count in sorted(card.reasons.items())],
        )
        + _table(
            ("Decided by", "Faces"), [(_WHO.get(name, name), f"{n:,}") for name, n in sorted(card.decided_by.items())]
        )
        + (f"<h2>Notes</h2>{notes}" if notes else "")
        + "<h2>Files behind it</h2>"
        + "".join(
            f'<p class="small">{escape(s.name)}: <code>sha256 {escape(s.sha256)}</code></p>' for s in card.sources
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_EXTRA}</style></head><body>{body}</body></html>\n"
    )


def _pictures(sources: Sequence[SourceRecord]) -> str:
    """Where photographs came from, one by one, where that was told."""
    told = [item for source in sources for item in source.pictures if len(item) > 1]
    if not told:
        return ""
    columns = ("file", "source", "licence", "person", "date")
    rows = [tuple(item.get(column) or "–" for column in columns) for item in told]
    return "<h2>Where the photographs came from</h2>" + _table(("File", "Source", "Licence", "Person", "Date"), rows)


def card_text(card: Card) -> str:
    """For the terminal."""
    lines = [
        f"Faceset {card.id}: {len(card.faces):,} faces of side {card.side.upper()}, {card.excluded:,} left out",
        f"  digest {card.digest}",
        f"  made from {', '.join(card.parents) or 'nothing earlier'}",
    ]
    lines += [
        f"  {s.name}: {s.faces:,} faces, {s.person or 'person not recorded'}, {s.basis_text}" for s in card.sources
    ]
    lines += [f"  {_question_text(item)}" for item in card.questions]
    if card.reasons:
        out = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(card.reasons.items()))
        lines.append(f"  left out: {out}")
    lines += [f"  {text}" for text in card.notes]
    lines += [f"  ! {text}" for text in card.gaps()]
    return as_text(lines)


_SIDES = {"a": "the face in the video that is replaced", "b": "the face that is swapped in"}
_WHO = {
    "crowd": "the crowd",
    "person": "the requester",
    "gold": "known answers",
    "screen": "screening, unasked",
    "copy": "the answer on a near-copy",
    "model": "the model that answers taught",
}


def _moment(text: str) -> str:
    """An ISO time as people write it, in UTC; what is none is shown as it is."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return text


def _questions(questions: Sequence[QuestionRecord]) -> str:
    if not questions:
        return "<p>Nothing.</p>"
    return _table(
        ("Question", "Faces", "Votes", "Workers", "Krippendorff’s alpha", "All agree"),
        [
            (
                item.question,
                f"{item.faces:,}",
                f"{item.votes:,}" + (f" ({item.simulated:,} simulated)" if item.simulated else ""),
                f"{item.workers:,}",
                "–" if item.alpha is None else f"{item.alpha:.3f}",
                "–" if item.unanimous is None else f"{item.unanimous:.0%}",
            )
            for item in questions
        ],
    )


def _question_text(item: QuestionRecord) -> str:
    alpha = "" if item.alpha is None else f", alpha {item.alpha:.3f}"
    simulated = f" ({item.simulated} simulated)" if item.simulated else ""
    return f"{item.question}: {item.votes} votes{simulated} by {item.workers} workers on {item.faces} faces{alpha}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>Nothing.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name, quote=True)}">{escape(value)}</td>'
            for name, value in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
