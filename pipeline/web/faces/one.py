"""One face large: who said what, the frame that it came from, its neighbours in time, and those that are like it."""

from __future__ import annotations

from flask import render_template, request, session

from ....curation.listing import Wanted, near_in_time, page_of_faces
from ....curation.types import Side
from ...asking.mapped import alike
from ...asking.tasks import reasons_for
from .. import read
from ..opened import open_workspace
from .pictures import footage_of, references
from .read import face_row
from .room import blueprint, face_named

__all__: list[str] = []

_BESIDE, _LIKE = 4, 9


@blueprint.get("/faces/<face_id>")
def face(face_id: str) -> str:
    """The page of a face; `?part=1` gives what the grid shows of it."""
    app = open_workspace()
    found = face_named(app, face_id)
    db = app.workspace.db
    like = [item for item, _ in alike(app, found, _LIKE)]
    return render_template(
        "face_part.html" if request.args.get("part") else "face.html",
        row=face_row(app, found),
        shown=page_of_faces(db, Wanted(among=(found.face_id,)))[0],
        beside=near_in_time(db, found, _BESIDE),
        like=sorted(page_of_faces(db, Wanted(among=tuple(like))), key=lambda row: like.index(row.face.face_id)),
        framed=footage_of(app, found.side, found.source) is not None,
        references=references(app, found.side),
        reasons={item.value: reasons_for(item) for item in Side},
        questions=[item.value for item in read.questions_of(app, found.side)],
        by=session.get("by", ""),
        note=session.get("note", ""),
    )
