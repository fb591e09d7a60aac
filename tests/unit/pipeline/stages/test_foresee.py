"""What a merge would do, by the counts that are kept, is what planning it file by file from all votes gives."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import decide, infer
from galloway.pipeline.asking.overrule import overrule_each, undo
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.merge import foresee, kept_word, merge, models_word, plan
from galloway.pipeline.stages.merge import undo as undo_merge
from galloway.pipeline.workspace.steps import steps

from tests.support.faces import make_vote
from tests.support.web import empty_workspace
from tests.support.workspace import built_app

SETTINGS = """
[ask]
learn = false
method = "{method}"

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def same(app: App, *, weighed: bool = True) -> None:
    """Both ways say the same of both sides. `weighed`: also where every vote is weighed anew."""
    for side in Side:
        seen, standing = foresee(app, side), app.standing_merge(side)
        stands = replace(infer(app), decisions=app.store.decisions())
        for planned in (plan(app, side, known=stands), *([plan(app, side)] if weighed else [])):
            assert (seen.kept, seen.goes, seen.open, seen.spared) == (
                planned.kept, len(planned.removals), len(planned.open), len(planned.spared)
            )  # fmt: skip
            assert seen.reasons == planned.reasons()
            nothing = standing is not None and planned.is_empty and standing.digest == planned.digest_before
            assert seen.done == nothing
        assert kept_word(app, side).lines == models_word(app, side).lines


@pytest.mark.parametrize("method", ["majority", "auto"])
@pytest.mark.parametrize("seed", range(2))
def test_after_decisions_undos_and_merges_in_any_order(tmp_path: Path, seed: int, method: str) -> None:
    app, chance = built_app(tmp_path / "ws", faces=10, settings=SETTINGS.format(method=method)), random.Random(seed)
    same(app)
    faces = [face for side in Side for face in app.store.faces(side)]
    for worker in ("A1", "A2", "A3"):
        app.store.add_votes([make_vote(f, chance.choice(["keep", "keep", "reject"]), worker) for f in faces])
    decide(app)
    same(app)
    for number in range(5):
        some = chance.sample(faces, 4)
        label, reason = chance.choice([("keep", None), ("reject", "covered"), ("reject", "another_person")])
        overrule_each(app, [(face.face_id, label, reason) for face in some], name="Ann", note=f"step {number}")
        if chance.random() < 0.4:
            undo(app, chance.choice([step for step in steps(app.workspace) if step.undone_at is None]).id)
        # What a person's word teaches of others is weighed with the next whole computation, and by no majority.
        same(app, weighed=method == "majority")
    assert kept_word(app, Side.A).as_of is not None
    decide(app)
    same(app)
    assert kept_word(app, Side.A).as_of is None
    for side in Side:
        merge(app, side, open_faces="keep")
        same(app)
    undo_merge(app, Side.A)
    same(app)


def test_a_side_without_faces_has_nothing_to_merge(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="Side a has no faces"):
        foresee(App(empty_workspace(tmp_path / "ws")), Side.A)
