"""A face that is approved after a merge moved it away: nothing brings it back by itself, so everything says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule_each
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.stages.away import approved_away, away_sentence
from galloway.pipeline.stages.merge import merge, undo
from galloway.pipeline.stages.status import read_status

from tests.support.workspace import built_app, galloway

SETTINGS = """
[ask]
learn = false
method = "majority"

[side_b]
questions = ["usable"]
"""


def say(app: App, label: str, *names: str) -> None:
    reason = "bad_crop" if label == "reject" else None
    overrule_each(app, [(name, label, reason) for name in names], name="Ann", note="looked at it")


def test_it_is_said_with_what_brings_it_back_until_it_is_back(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=8, settings=SETTINGS)
    first, second, *others = (face.face_id for face in app.store.faces(Side.B))
    say(app, "keep", second, *others)
    say(app, "reject", first)
    merge(app, Side.B)
    assert read_status(app).away == ()
    told = galloway(app, "decide", first, "keep", "--by", "Ann", "--note", "it is good")
    assert "still there: 1 face. Take 1 merge back" in told.stdout + told.stderr
    assert read_status(app).away == (away_sentence(app, Side.B),)
    with pytest.raises(NothingToDo, match="still there: 1 face"):
        merge(app, Side.B)
    say(app, "reject", second)
    merged = merge(app, Side.B)
    assert away_sentence(app, Side.B) in merged.notes
    assert approved_away(app, Side.B) == {first: 2}
    undo(app, Side.B)
    undo(app, Side.B)
    assert merge(app, Side.B).faceset.rejected == 1
    assert first in app.store.face_ids(Side.B)
    assert away_sentence(app, Side.B) == "" == "".join(read_status(app).away)


def test_faces_of_a_whose_pictures_were_deleted_are_named_until_the_alignments_lose_them_too(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=8, settings=SETTINGS)
    named = sorted(app.workspace.faces_dir(Side.A).glob("*.png"))[0]
    named.unlink()
    notes = " ".join(merge(app, Side.A, open_faces="keep").notes)
    assert "1 face of the alignments has no picture, the first is" in notes and named.name[:-6] in notes
    assert galloway(app, "faceset", "remove-faces", "--side", "a").returncode == 0
    assert "would still be swapped" not in " ".join(merge(app, Side.A, open_faces="keep").notes)
