"""The next round where there are many faces: planned by a job, shown as it was planned, old when something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.pipeline.asking import offer as offering
from galloway.pipeline.asking.left_out import leave_out_below
from galloway.pipeline.asking.offer import make_offer, offer_now
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.asking.publish import plan_round
from galloway.pipeline.asking.screening import grid_order
from galloway.pipeline.stages.masking import set_regions
from galloway.pipeline.workspace.records import sources
from PIL import Image

from tests.support.workspace import built_app


def test_what_a_job_planned_is_what_planning_gives_until_something_changes(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=12)
    assert offer_now(app, look_most=0, at_once=0) is None, "nobody planned yet"
    made = make_offer(app, look_most=0)
    planned = plan_round(app, app.terms(), order=grid_order(app))
    assert (made.digest, made.price, made.faces) == (planned.digest, planned.price, planned.faces)
    assert offer_now(app, look_most=0, at_once=0) == made and made.fresh
    overrule(app, app.store.faces(Side.A)[0].face_id, "keep", name="Ann", note="seen")
    old, now = offer_now(app, look_most=0, at_once=0), offer_now(app, look_most=0)
    assert old is not None and now is not None
    assert (old.fresh, old.digest) == (False, made.digest) and now.fresh and now.digest != made.digest


def test_a_page_plans_again_only_where_something_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, planned = built_app(tmp_path / "ws", faces=12), []
    real = offering.plan_round
    monkeypatch.setattr(offering, "plan_round", lambda *a, **k: (planned.append(1), real(*a, **k))[1])
    (source,) = sources(app.workspace, Side.A)
    region = b'{"regions": [{"keys": [{"frame": 1, "rectangle": [0, 0, 9, 9]}]}]}'

    def photograph() -> None:
        Image.new("RGB", (80, 80), "navy").save(app.workspace.references_dir(Side.A) / "other.jpg")

    changes = (
        lambda: None,
        lambda: overrule(app, app.store.faces(Side.A)[0].face_id, "keep", name="Ann", note="seen"),
        lambda: leave_out_below(app, Side.B, 9),
        photograph,
        lambda: set_regions(app, source, region, "regions"),
    )
    for change in changes:
        change()
        assert offer_now(app, look_most=0) == offer_now(app, look_most=0)
    assert len(planned) == len(changes)


def test_why_there_is_no_round_is_kept_too(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=4)
    for side in Side:
        for face in app.store.faces(side):
            overrule(app, face.face_id, "keep", name="Ann", note="seen")
    made = make_offer(app, look_most=0)
    assert "Every face is decided" in made.nothing and not made.batches
    assert offer_now(app, look_most=0, at_once=0) == made
