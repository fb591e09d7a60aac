"""`galloway batch`: pay by hand and taking a batch back, on the real command line against the embedded marketplace."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.workspace import answer_everything, built_app, galloway


def data(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_work_is_settled_by_hand_and_a_batch_is_taken_back(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
    answer_everything(app, workers=2)
    (line,) = data(galloway(app, "batch", "list", "--json"))
    assert (line["hits"], line["published"], line["assignments"], line["submitted"]) == (2, 2, 4, 0)
    assert galloway(app, "collect", "--no-pay").returncode == 0
    key = line["batch"]
    work = data(galloway(app, "batch", "work", key, "--json"))
    assert [item["status"] for item in work] == ["Submitted"] * 4
    assert all(item["worker"].startswith("W-") for item in work)
    first, second, third, fourth = (item["assignment"] for item in work)

    refused = galloway(app, "batch", "approve", first, second)
    assert (refused.returncode, "2 answers for $" in refused.stderr) == (4, True)
    approved = data(galloway(app, "batch", "approve", first, second, "--yes", "--json"))
    assert (approved["done"], approved["already"]) == (2, 0)
    assert galloway(app, "batch", "approve", first).returncode == 3
    assert galloway(app, "batch", "reject", third).returncode == 2
    assert data(galloway(app, "batch", "reject", third, "--reason", "empty", "--json"))["done"] == 1
    wrong = galloway(app, "batch", "approve", third)
    assert wrong.returncode == 1
    assert "override" in wrong.stderr
    assert data(galloway(app, "batch", "approve", third, "--override", "--yes", "--json"))["done"] == 1

    bonus = ("batch", "bonus", first, "0.05", "--reason", "slow page")
    assert galloway(app, *bonus).returncode == 4
    assert data(galloway(app, *bonus, "--yes", "--json"))["paid"] == "0.05"
    assert galloway(app, *bonus, "--yes").returncode == 3
    assert galloway(app, "batch", "bonus", first, "0.055", "--reason", "x", "--yes").returncode == 2

    worker = work[0]["worker"]
    blocking = ("batch", "block", worker.lower(), "--reason", "did not look")
    assert galloway(app, *blocking).returncode == 0
    assert galloway(app, *blocking).returncode == 3
    assert data(galloway(app, "batch", "blocks", "--json")) == {worker: "did not look"}
    assert galloway(app, *blocking, "--off").returncode == 0
    assert galloway(app, "batch", "blocks").stdout.strip() == "Nobody is blocked."
    assert galloway(app, "batch", "block", "W-AAAAAAAA", "--reason", "x").returncode == 1

    kept = data(galloway(app, "batch", "cancel", key, "--no-pay", "--json"))
    assert (kept["deleted"], kept["undecided"], kept["done"]) == (1, 1, False)
    gone = data(galloway(app, "batch", "cancel", key, "--json"))
    assert (gone["approved"], gone["deleted"], gone["done"]) == (1, 1, True)
    assert data(galloway(app, "batch", "work", key, "--json"))[3]["assignment"] == fourth
    assert data(galloway(app, "batch", "list", "--json"))[0]["cancelled"]
    assert galloway(app, "batch", "cancel", "none").returncode == 1


def test_a_lost_market_is_named_and_its_batch_given_up(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
    (line,) = data(galloway(app, "batch", "list", "--json"))
    shutil.rmtree(tmp_path / "ws" / "market")
    lost = galloway(app, "collect", "--yes")
    assert (lost.returncode, f"galloway batch cancel {line['batch']} --gone" in lost.stderr) == (1, True), lost.stderr
    assert galloway(app, "batch", "cancel", line["batch"]).returncode == 1
    given_up = data(galloway(app, "batch", "cancel", line["batch"], "--gone", "--json"))
    assert (given_up["deleted"], given_up["waiting"], given_up["done"]) == (0, 0, True)
    assert galloway(app, "collect", "--yes").returncode == 0
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0


def test_faces_of_a_batch_that_was_taken_back_are_asked_again(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    first = data(galloway(app, "publish", "--side", "a", "--yes", "--json"))
    assert galloway(app, "publish", "--side", "a", "--yes").returncode == 3
    key = data(galloway(app, "batch", "list", "--json"))[0]["batch"]
    assert data(galloway(app, "batch", "cancel", key, "--json"))["deleted"] == 2
    second = data(galloway(app, "publish", "--side", "a", "--yes", "--json"))
    assert first and second
    assert len(data(galloway(app, "batch", "list", "--json"))) == 2
