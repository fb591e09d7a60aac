"""`[ask] copies = "once"` through the command line: fewer faces on fewer pages, the same end."""

from __future__ import annotations

import json
from pathlib import Path

from galloway.curation.types import DecidedBy, Side
from galloway.pipeline.asking.screening import report_path, screen_side

from tests.support.workspace import answer_everything, built_app, galloway

_ONCE = """
[ask]
votes = 2
faces_per_hit = 6
method = "majority"
audit_share = 0
copies = "once"
copies_audit = 0

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def test_copies_are_not_asked_and_end_with_the_others(tmp_path: Path) -> None:
    app = built_app(tmp_path / "w", faces=12, settings=_ONCE)
    screen_side(app, Side.B, identity=False)
    path = report_path(app, Side.B)
    data = json.loads(path.read_text(encoding="utf-8"))
    faces = [face.face_id for face in app.store.faces(Side.B)]
    for row in data["faces"]:
        place = faces.index(row["face_id"])
        # Flawless workers find every fourth face no face; copies are of their kind.
        row["twin_of"] = faces[place % 4] if place >= 4 else None
    path.write_text(json.dumps(data), encoding="utf-8")
    dry = galloway(app, "publish", "--side", "b", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "8 near-copies of 4 faces are not asked" in dry.stdout + dry.stderr
    assert galloway(app, "publish", "--side", "b", "--yes").returncode == 0
    answer_everything(app)
    assert galloway(app, "collect").returncode == 0
    assert len({vote.face_id for vote in app.store.votes()}) == 4
    done = galloway(app, "publish", "--side", "b", "--yes")
    assert done.returncode == 3
    assert "galloway merge" in done.stderr
    merged = galloway(app, "merge", "--side", "b", "--json")
    assert merged.returncode == 0, merged.stderr
    assert len(app.store.faces(Side.B)) == 9
    assert sum(item.decided_by is DecidedBy.COPY for item in app.store.decisions() if item.question is None) == 8
    galloway(app, "merge", "undo", "--side", "b")
    assert len(app.store.faces(Side.B)) == 12
