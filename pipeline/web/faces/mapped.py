"""The map of a side's faces, on which like ones lie together: a line drawn round some of them lists them."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, render_template, request

from ....curation.listing import CELLS, count_persons, map_cells
from ....curation.types import Side
from ..opened import open_workspace
from .asked import asked
from .room import blueprint

__all__: list[str] = []

_PERSONS = 24


@blueprint.get("/faces/map")
def faces_map() -> str:
    """The page that draws it; without script, the persons that were found as links."""
    app = open_workspace()
    chosen = asked(app)
    side = chosen.wanted.side or Side.A
    persons = [(person, count) for _, person, count in count_persons(app.workspace.db, side) if person]
    return render_template(
        "map.html",
        side=side.value,
        fields={**chosen.fields, "side": side.value},
        cells=CELLS,
        persons=sorted(persons, key=lambda row: -row[1])[:_PERSONS],
    )


@blueprint.get("/faces/map/cells")
def cells() -> Response:
    """How many faces of which status lie where; sent again only where something moved or was decided since."""
    app = open_workspace()
    wanted = asked(app).wanted
    found = map_cells(app.workspace.db, replace(wanted, side=wanted.side or Side.A, lasso=()))
    response = Response(f'{{"cells":{CELLS},"faces":{found}}}', mimetype="application/json")
    response.add_etag()
    response.cache_control.no_cache = True
    response.make_conditional(request)
    return response
