"""An answer that the requester rejected decides no face, wherever it is counted, until the rejection is overruled."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import infer
from galloway.pipeline.checking.crew import crew
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.report import build_report, kept_report, write_report

from tests.support.workspace import answer_everything, built_app, galloway


def test_what_was_rejected_decides_no_face_until_it_is_overruled(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    assert galloway(app, "publish", "--side", "b", "--yes").returncode == 0
    answer_everything(app)
    assert galloway(app, "collect", "--no-pay").returncode == 0
    write_report(app)
    before = _stand(app)
    work = [row["assignment_id"] for row in app.ledger.assignments("local")]
    assert galloway(app, "batch", "reject", *work, "--reason", "answered within a second").returncode == 0
    assert _stand(app) == {(Status.UNDECIDED, 0)}, "no rejected answer decides"
    kept = kept_report(app, "en")
    assert kept is not None and kept.old, "the report counts answers that stand no more"
    with pytest.raises(StageError, match="no votes yet"):
        build_report(app)
    assert galloway(app, "collect", "--no-pay").returncode == 0
    assert _stand(app) == {(Status.UNDECIDED, 0)}, "nor after the next look at the market"
    assert app.store.count_votes(), "a vote is a fact"
    assert crew(app), "what a worker handed in goes on telling of the worker"
    asked = galloway(app, "publish", "--side", "b", "--dry-run", "--json")
    assert asked.returncode == 0, asked.stderr
    assert galloway(app, "batch", "approve", *work, "--override", "--yes").returncode == 0
    assert _stand(app) == before


def _stand(app: App) -> set[tuple[Status, int]]:
    """How the faces of side B stand, and on how many votes."""
    side = app.store.face_ids(Side.B)
    found = [item for item in infer(app).decisions if item.question is None and item.face_id in side]
    return {(item.status, item.votes) for item in found}
