"""People who withdraw or are erased while a training is on another machine: it stops, and nothing of it comes back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from galloway.curation.types import no_progress
from galloway.pipeline.app import App
from galloway.pipeline.bundle import away as module
from galloway.pipeline.bundle.away import away_runs, drop_away, train_away
from galloway.pipeline.bundle.manifest import BundleError
from galloway.pipeline.bundle.pack import Where
from galloway.pipeline.errors import NotApproved
from galloway.pipeline.stages.train import TrainOptions
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.runs import runs
from galloway.pipeline.workspace.schema import source_table

from tests.support.workspace import built_app, galloway


class Machine:
    """A machine whose disk is a folder; `meanwhile` is what happens here while it trains."""

    address, folder = "ssh://gpu/~/t", "t"

    def __init__(self, disk: Path, meanwhile: Callable[[], None]) -> None:
        self.disk, self.meanwhile = disk, meanwhile

    def run(self, words: Sequence[str], tell: object = None) -> None:
        if words[:2] == ["sh", "-c"]:
            shutil.rmtree(self.disk, ignore_errors=True)

    def push(self, source: Path, target: str) -> None:
        shutil.copytree(source, self.disk)

    def pull(self, source: str, target: Path, without: Sequence[str] = (), only: bool = True) -> bool:
        target.mkdir(parents=True, exist_ok=True)
        if source.endswith("/model"):
            (target / "embedded.npz").write_bytes(b"learnt from Ann")
        return False

    @contextmanager
    def lines(self, words: Sequence[str]) -> Iterator[Iterator[str]]:
        def said() -> Iterator[str]:
            yield json.dumps({"event": json.dumps({"kind": "loss", "iteration": 1, "loss_a": 0.1, "loss_b": 0.1})})
            self.meanwhile()
            yield json.dumps({"event": json.dumps({"kind": "saved", "iteration": 250})})
            yield json.dumps({"state": {"state": "done", "iterations": 300, "stopped": "done"}})

        yield said()


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Both sides approved; side B is Ann's."""
    app = built_app(tmp_path / "shop", faces=4)
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().where(source_table.c.side == "b").values(person="Ann"))
    for side in "ab":
        assert galloway(app, "merge", "--side", side, "--open", "keep").returncode == 0
    return App(Workspace.open(app.workspace.root))


def trained(app: App, machine: Machine) -> None:
    train_away(
        app,
        TrainOptions(iterations=300),
        machine,  # type: ignore[arg-type]
        Where(),
        engine="embedded",
        on_event=lambda _event: None,
        packing=lambda: nullcontext(no_progress),
        sleep=lambda _seconds: None,
    )


def left() -> None:
    raise BundleError("the lid was closed")


def test_nobody_is_erased_while_a_training_with_faces_is_open_elsewhere(app: App, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "there", left)
    with pytest.raises(BundleError, match="lid"):
        trained(app, machine)
    refused = galloway(app, "person", "erase", "Ann", "--yes")
    assert refused.returncode == 1
    assert f"galloway train --on {machine.address} --drop" in refused.stderr
    assert away_runs(app) and machine.disk.is_dir()
    drop_away(app, machine)  # type: ignore[arg-type]
    assert not machine.disk.exists()
    assert galloway(app, "person", "erase", "Ann", "--yes").returncode == 0
    assert not runs(app.workspace)


def test_a_training_goes_on_with_nobody_who_withdrew_meanwhile(app: App, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "there", left)
    with pytest.raises(BundleError, match="lid"):
        trained(app, machine)
    for words in (
        ["person", "revoke", "Ann", "--yes"],
        ["merge", "undo", "--side", "b"],
        ["source", "remove", "--side", "b", "clipb", "--yes"],
    ):
        assert galloway(app, *words).returncode == 0, words
    machine.meanwhile = lambda: None
    with pytest.raises(NotApproved, match="trained on faces of Ann, who withdrew"):
        trained(app, machine)
    assert not machine.disk.exists() and not away_runs(app)
    assert not list((app.workspace.root / "models").rglob("*.npz"))


@pytest.mark.parametrize("follows", [True, False])
def test_a_run_that_was_deleted_here_is_dropped_and_stays_away(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, follows: bool
) -> None:
    """Also where the training ends before the next look."""
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.0 if follows else 1e9)
    machine = Machine(tmp_path / "there", lambda: shutil.rmtree(app.workspace.root / "runs"))
    with pytest.raises(NotApproved, match="was deleted here"):
        trained(app, machine)
    assert not machine.disk.exists() and not runs(app.workspace)
    assert not list((app.workspace.root / "models").rglob("*.npz"))
