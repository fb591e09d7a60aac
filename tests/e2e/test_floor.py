"""Pay is brought up to the floor on measured time: by command, or by `collect` itself, each answer once."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from galloway.pipeline.app import App
from galloway.pipeline.asking.floor import missing, worked_seconds

from tests.support.workspace import answer_everything, built_app, galloway

_SETTINGS = """
[ask]
learn = false
votes = 2
faces_per_hit = 5
reward = "0.10"
min_hourly_wage = "400000"
{more}

[side_a]
questions = ["usable"]

[side_b]
questions = ["usable"]
"""


def _answered(folder: Path, more: str = "") -> App:
    app = built_app(folder, faces=10, settings=_SETTINGS.format(more=more))
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
    answer_everything(app)
    (app.workspace.root / "market" / "simulated.json").unlink(missing_ok=True)  # as people
    return app


def _met(app: App) -> None:
    from galloway.mturk.requester.collect import collected

    floor = app.settings.ask.min_hourly_wage
    paid = {row["assignment_id"]: row["amount"] for row in app.ledger.payments("local") if row["kind"] == "bonus"}
    found = collected(app.ledger, "local")
    assert len(found) == 4 and paid
    for item in found:
        assert paid.get(item.assignment_id, Decimal(0)) == missing(Decimal("0.10"), worked_seconds(item), floor)


def test_the_command_says_what_is_missing_and_pays_it_once(tmp_path: Path) -> None:
    app = _answered(tmp_path / "ws")
    assert galloway(app, "collect").returncode == 0
    listed = galloway(app, "batch", "top-up", "--dry-run", "--json")
    assert len(json.loads(listed.stdout)) == 4, listed.stderr
    assert galloway(app, "batch", "top-up").returncode == 4
    assert galloway(app, "batch", "top-up", "--yes").returncode == 0
    _met(app)
    assert galloway(app, "batch", "top-up", "--yes").returncode == 3


def test_collect_does_it_by_itself_within_the_budget(tmp_path: Path) -> None:
    app = _answered(tmp_path / "ws", "top_up = true")
    for _ in range(3):
        assert galloway(app, "collect").returncode == 0
    _met(app)


def test_a_budget_is_a_wall_for_top_ups_too(tmp_path: Path) -> None:
    app = _answered(tmp_path / "ws", 'top_up = true\nbudget = "0.60"')
    for _ in range(2):
        done = galloway(app, "collect")
    assert "galloway batch top-up" in done.stdout + done.stderr
    assert [row for row in app.ledger.payments("local") if row["kind"] == "bonus"] == []
