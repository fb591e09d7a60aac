"""Look at faces: all that fit, in one grid that a browser fills as it is scrolled; without script, page by page."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response, jsonify, render_template, request, session, stream_with_context

from ....curation.listing import (
    Order,
    Pose,
    ShownFace,
    Wanted,
    count_persons,
    count_statuses,
    page_of_faces,
    posteriors,
)
from ....curation.spreadsheet import neutral
from ....curation.types import DecidedBy, Side, Status
from ...app import App
from ...asking.heeded import heeded_votes
from ...asking.tasks import reasons_for
from ...workspace.records import sources
from ..opened import open_workspace
from .asked import FIELDS, SHARP, SIZES, Asked, asked, names_of_voters
from .pictures import references
from .room import blueprint, face_named

__all__: list[str] = []

_PER_PAGE, _AT_ONCE, _LINES = 60, 200, 1000
_COLUMNS = (
    "face_id", "name", "side", "source", "frame", "x", "y", "width", "height", "status", "reason", "decided_by",
    "person", "sharpness", "yaw", "moved_away",
)  # fmt: skip
_PERSONS = 30
"""So many persons are offered by number; further ones are reached on the map."""


@blueprint.get("/faces")
def listing() -> str:
    """Faces by what is asked for; what is likeliest wrong comes first."""
    app = open_workspace()
    chosen = asked(app)
    shown = chosen.page(app, after=request.args.get("after", "")[:300], skip=_skip(), most=_PER_PAGE + 1)
    side = chosen.wanted.side
    found = count_statuses(app.workspace.db)
    counts = {item.value: sum(found[one][item] for one in Side if side in (None, one)) for item in Status}
    sides = [item for item in Side if side in (None, item)]
    return render_template(
        "faces.html",
        rows=shown[:_PER_PAGE],
        more=shown[_PER_PAGE - 1].place if len(shown) > _PER_PAGE else "",
        skipped=_skip() + _PER_PAGE,
        begun="after" in request.args or _skip() > 0,
        total=sum(counts.values()) if set(chosen.fields) <= {"side", "order", "back"} else chosen.count(app),
        counts=counts,
        fields={name: chosen.fields.get(name, "") for name in FIELDS},
        address=chosen.fields,
        ranked=chosen.ranked is not None,
        like=face_named(app, chosen.fields["like"]) if "like" in chosen.fields else None,
        choices=_choices(app, side),
        people={item.value: references(app, item)[:3] for item in sides},
        reasons=[reason for reason in reasons_for(Side.B) if any(reason in reasons_for(one) for one in sides)],
        by=session.get("by", ""),
        note=session.get("note", ""),
        looked=_looked(app),
    )


@blueprint.get("/faces/tiles")
def tiles() -> Any:
    """A part of what is asked for, as short as it can be: for the grid."""
    app = open_workspace()
    chosen = asked(app)
    rows = chosen.page(app, after=request.args.get("after", "")[:300], skip=_skip(), most=_most())
    answer: dict[str, Any] = {"faces": [_tile(row) for row in rows], "next": rows[-1].place if rows else None}
    if "count" in request.args:
        answer["total"] = chosen.count(app)
    return jsonify(answer)


@blueprint.get("/api/faces")
def api_faces() -> Any:
    """Faces with their status, in parts: `next` is the `after` of the part behind; votes without voters."""
    app = open_workspace()
    chosen = asked(app)
    rows = chosen.page(app, after=request.args.get("after", "")[:300], skip=_skip(), most=_most())
    ids = [row.face.face_id for row in rows]
    sure, words = posteriors(app.workspace.db, ids), defaultdict(list)
    for one in heeded_votes(app, faces=ids).counted():
        words[one.face_id].append({"question": one.question, "label": one.label, "reason": one.reason})
    return jsonify(
        {
            "total": chosen.count(app),
            "next": rows[-1].place if len(rows) == _most() else None,
            "faces": [
                {
                    "face_id": row.face.face_id,
                    "side": row.face.side.value,
                    "name": row.face.name,
                    "status": row.status.value,
                    "reason": row.reason or None,
                    "posterior": sure.get(row.face.face_id),
                    "risk": row.risk,
                    "votes": words[row.face.face_id],
                }
                for row in rows
            ],
        }
    )


@blueprint.get("/faces/list.csv")
def table() -> Response:
    """All faces that are asked for as a table, in their order, sent as they are read."""
    app = open_workspace()
    chosen = asked(app)
    answer = Response(stream_with_context(_lines(app, chosen)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=faces.csv"
    return answer


def _lines(app: App, chosen: Asked) -> Iterator[str]:
    yield _line(_COLUMNS)
    after, skip = "", 0
    while rows := chosen.page(app, after=after, skip=skip, most=_LINES):
        yield "".join(_line(_cells(row)) for row in rows)
        after, skip = ("", skip + len(rows)) if chosen.ranked is not None else (rows[-1].place, 0)


def _cells(row: ShownFace) -> tuple[object, ...]:
    face, decided = row.face, "" if row.status is Status.UNDECIDED else row.decided_by.value
    return (
        face.face_id, face.name, face.side.value, face.source, face.frame_number or "", *face.box, row.status.value,
        row.reason, decided, row.person or "", f"{row.sharpness:.3f}", f"{row.yaw:.1f}", int(row.gone),
    )  # fmt: skip


def _line(cells: Iterable[object]) -> str:
    """A row for a spreadsheet: a name that it would compute is none."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(neutral(str(cell)) for cell in cells)
    return out.getvalue()


def _tile(row: ShownFace) -> list[Any]:
    """As `grid.js` reads it."""
    face = row.face
    return [
        face.face_id, face.name, face.side.value, row.status.value, row.reason, round(row.risk, 3), min(face.box[2:]),
        row.person, int(row.gone),
    ]  # fmt: skip


def _skip() -> int:
    return max(0, request.args.get("skip", 0, type=int))


def _most() -> int:
    return min(max(1, request.args.get("most", _AT_ONCE, type=int)), _AT_ONCE)


def _looked(app: App) -> bool:
    """Whether somebody looked at the faces: then there are persons, and places on a map."""
    sharpest = page_of_faces(app.workspace.db, Wanted(order=Order.SHARPNESS, back=True), most=1)
    return not sharpest or sharpest[0].sharpness > 0


def _choices(app: App, side: Side | None) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(field, name, (value, words) of each choice) of the form."""
    persons = sorted(count_persons(app.workspace.db, side), key=lambda row: -row[2])
    numbered: dict[str, str] = {}
    for one, person, count in persons:
        if person and len(numbered) < _PERSONS:
            numbered.setdefault(str(person), f"person {person}{'' if side else f', side {one.upper()}'} ({count:,})")
    unclear = [("0", "nobody clear")] if numbered else []
    names = sorted({item.name for item in sources(app.workspace, side)})
    return [
        ("person", "Person", [*numbered.items(), *unclear]),
        ("source", "From", [(name, name) for name in names]),
        ("pose", "Pose", list(zip(Pose, ("from the front", "half turned", "in profile"), strict=True))),
        ("size", "Size", list(zip(SIZES, ("under 64 pixels", "64 to 128", "128 and more"), strict=True))),
        ("sharp", "Sharpness", list(zip(SHARP, ("the least sharp tenth", "the next third", "sharper"), strict=True))),
        ("by", "Decided by", [(item.value, item.value) for item in DecidedBy if item is not DecidedBy.COPY]),
        ("worker", "Answered by", [(name, name) for name in sorted(names_of_voters(app))]),
    ]


ORDERS = {
    Order.RISK: "likeliest wrong first",
    Order.DOUBT: "least certain first",
    Order.SHARPNESS: "least sharp first",
    Order.POSE: "by pose, left to right",
    Order.SIZE: "smallest first",
    Order.FILM: "as in the film",
    Order.PERSON: "by person",
}


@blueprint.app_context_processor
def orders() -> dict[str, Any]:
    """What the grid's list of orders says."""
    return {"face_orders": [(order.value, words) for order, words in ORDERS.items()]}
