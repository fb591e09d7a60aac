"""Training runs: what their records hold, and whose model is converted with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from galloway.curation.faceset.png.headers import read_header
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.bundle import make
from galloway.pipeline.bundle.make import begun
from galloway.pipeline.engines.base import EngineError, TrainEvent, TrainRequest, TrainResult, check_options
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages import train as stage
from galloway.pipeline.stages.models import named_model
from galloway.pipeline.stages.picking import linked
from galloway.pipeline.stages.train import TrainOptions, last_model, model_folder, train
from galloway.pipeline.workspace.approved import ApprovedFaceset
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.runs import runs
from galloway.pipeline.workspace.settings import load_settings

from tests.support.faces import make_vote
from tests.support.workspace import built_app


def a_run(root: Path, number: int, model: str, *events: str, **more: object) -> None:
    folder = root / "runs" / f"train-{number}"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(
        json.dumps(
            {
                "engine": model.split("-")[0],
                "model": model.split("-")[1],
                "model_dir": f"models/{model}",
                "facesets": {},
                "options": {},
                "started_at": "2026-11-26T00:00:00+00:00",
                **more,
            }
        )
    )
    if events:
        (folder / "events.jsonl").write_text("".join(f'{{"kind": "{kind}"}}\n' for kind in events))


def test_a_run_that_failed_before_its_first_save_is_passed_over(tmp_path: Path) -> None:
    app = cast(App, SimpleNamespace(workspace=Workspace(tmp_path, load_settings(None))))
    a_run(tmp_path, 1, "embedded-original", "command", "loss", "saved")
    a_run(tmp_path, 2, "faceswap-villain", "command", "loss", "saved")
    failed = tmp_path / "models" / "faceswap-villain"
    (failed / "faces" / "a").mkdir(parents=True)
    (failed / ".galloway.lock").touch()
    with pytest.raises(StageError, match="galloway train"):
        last_model(app)
    good = tmp_path / "models" / "embedded-original"
    good.mkdir()
    (good / "embedded.npz").touch()
    assert last_model(app).id == "train-1"
    (failed / "occlusion.npz").touch()
    assert last_model(app).id == "train-1", "a mask is no model"


def test_a_run_that_saved_nothing_does_not_vouch_for_the_model_that_was_there_before(tmp_path: Path) -> None:
    """After a merge a training that failed at once made `convert` take the old model for one of the new faces."""
    app = cast(App, SimpleNamespace(workspace=Workspace(tmp_path, load_settings(None))))
    model = tmp_path / "models" / "embedded-original" / "embedded.npz"
    model.parent.mkdir(parents=True)
    model.touch()
    a_run(tmp_path, 1, "embedded-original", "command", "loss", "saved")
    a_run(tmp_path, 2, "embedded-original", "command", failed="no such size")
    a_run(tmp_path, 3, "embedded-original")
    assert last_model(app).id == "train-1"
    a_run(tmp_path, 4, "embedded-original", result={"iterations": 500, "stopped": "done"})
    assert last_model(app).id == "train-4", "from another machine, without its events"


@pytest.fixture
def models(tmp_path: Path) -> App:
    """Two runs with the embedded engine on one model, the second of which did not save, and one of faceswap's."""
    app = cast(App, SimpleNamespace(workspace=Workspace(tmp_path, load_settings(None))))
    for number, model in enumerate(("embedded-original", "faceswap-villain", "embedded-original"), 1):
        a_run(tmp_path, number, model)
        (tmp_path / "models" / model).mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / model / "weights").touch()
        saved = "" if number == 3 else '{"kind": "saved", "iteration": 5}\n'
        (tmp_path / "runs" / f"train-{number}" / "events.jsonl").write_text(saved)
    return app


@pytest.mark.parametrize(
    ("name", "engine", "run"),
    [
        (None, None, "train-2"),
        (None, "faceswap", "train-2"),
        ("embedded-original", None, "train-1"),
        ("models/faceswap-villain/", None, "train-2"),
        ("train-1", None, "train-1"),
        ("train-2", "faceswap", "train-2"),
        ("train-3", None, "train-1"),
    ],
)
def test_a_model_is_named_by_its_folder_or_a_run_and_the_run_that_saved_it_last_is_meant(
    models: App, name: str | None, engine: str | None, run: str
) -> None:
    assert named_model(models, name, engine).id == run


def test_a_model_that_is_not_there_is_refused_with_those_that_are(models: App) -> None:
    with pytest.raises(StageError, match=r"'mine'.*embedded-original \(train-1\), faceswap-villain \(train-2\)"):
        named_model(models, "mine")
    with pytest.raises(StageError, match="trained by the engine faceswap; embedded cannot use it"):
        named_model(models, "faceswap-villain", "embedded")
    (models.workspace.root / "models" / "faceswap-villain" / "weights").unlink()
    with pytest.raises(StageError, match=r"no model that the engine faceswap trained\. There are: embedded-original"):
        named_model(models, None, "faceswap")
    events = models.workspace.root / "runs" / "train-3" / "events.jsonl"
    events.write_text('{"kind": "saved", "iteration": 9}\n')
    with pytest.raises(StageError, match=r"train-1 is no more.*train-3 went on.*--model embedded-original"):
        named_model(models, "train-1")


def _pictures(request: TrainRequest) -> list[Path]:
    return sorted(request.faces_b.glob("*.png"))


class FakeEngine:
    """Tells its command; then trains one iteration, or fails."""

    name = "fake"

    def __init__(self, failure: str = "") -> None:
        self.failure = failure
        self.known: list[dict[str, Any]] = []
        self.covered: list[frozenset[str]] = []
        self.painted: list[dict[str, str]] = []
        self.faces_b: list[list[tuple[str, str]]] = []

    def versions(self) -> dict[str, str]:
        return {"fake": "1.2"}

    def settings(self) -> list[str]:
        return ["train.ini [global] x = 1"]

    def check_options(self, step: str, options: Mapping[str, str]) -> None:
        check_options(options, ("warp",), f"The fake's {step}")

    def train(self, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
        on_event(TrainEvent("command", 0, text="fake train -i 1"))
        self.covered.append(request.covered)
        self.painted.append(dict(request.painted))
        self.faces_b.append([(path.name, read_header(path).source.source_filename) for path in _pictures(request)])
        self.known.append(json.loads((request.work_dir / "run.json").read_text(encoding="utf-8")))
        if self.failure:
            raise EngineError(self.failure)
        on_event(TrainEvent("loss", 1, 0.5, 0.25))
        return TrainResult(1, "done", 0.5, 0.25, None, ("fake", "train", "-i", "1"))


def trained(
    app: App,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    best: int | None = None,
    painted: Mapping[str, str] = MappingProxyType({"a.png": "f0"}),
) -> list[str]:
    """Trains; what was said meanwhile."""
    said: list[str] = []
    now = datetime.now(UTC)
    approved = {side: ApprovedFaceset(f"{side.value}-1", side, "m1", None, "blake2b:00", 3, 0, now) for side in Side}
    monkeypatch.setattr(stage, "approved_facesets", lambda _app: approved)
    monkeypatch.setattr(App, "engine", lambda _app, *_given: engine)
    options = TrainOptions(seed=7, best=best)
    train(app, options, painted=painted, on_event=lambda event: said.append(event.text) if event.text else None)
    return said


def test_a_record_names_everything_before_the_first_iteration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, engine = built_app(tmp_path / "shop", faces=3), FakeEngine()
    trained(app, engine, monkeypatch)
    (before,) = engine.known
    assert before["facesets"]["b"]["digest"] == "blake2b:00"
    assert before["versions"]["fake"] == "1.2"
    assert (before["options"]["seed"], before["command"]) == (7, "fake train -i 1")
    assert engine.painted == [{"a.png": "f0"}]
    assert before["settings"] == ["train.ini [global] x = 1"]
    (run,) = runs(app.workspace)
    assert (run.state, run.record["result"]["iterations"]) == ("done", 1)
    drawn = ElementTree.fromstring((run.folder / "losses.svg").read_text(encoding="utf-8"))
    assert "fake" in "".join(drawn.itertext())


def test_an_option_that_nobody_knows_leaves_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, engine = built_app(tmp_path / "shop", faces=3), FakeEngine()
    trained(app, engine, monkeypatch)
    monkeypatch.setattr(make, "approved_facesets", stage.approved_facesets)
    for start in (train, begun):
        more: dict[str, Any] = {"on_event": lambda _event: None} if start is train else {"engine": None, "on": "kaggle"}
        with pytest.raises(EngineError, match=r"no option 'bananas'\. It has: warp"):
            start(app, TrainOptions(until=9, options=(("bananas", "yes"),)), **more)
    assert len(runs(app.workspace)) == 1


def test_faces_that_a_third_of_the_voters_call_covered_are_named_to_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, engine = built_app(tmp_path / "shop", faces=4), FakeEngine()
    one, two, three, four = app.store.faces(Side.A)[:4]
    app.store.add_votes(
        [
            make_vote(one, "reject", "A1", reason="covered"),
            make_vote(one, "keep", "A2"),
            make_vote(one, "keep", "A3"),
            make_vote(two, "reject", "A1", reason="covered"),
            *(make_vote(two, "keep", f"A{number}") for number in (2, 3, 4)),
            make_vote(three, "keep", "A1", reason="covered"),
            make_vote(four, "reject", "A1", reason="blurred"),
        ]
    )
    trained(app, engine, monkeypatch)
    assert engine.covered == [frozenset({one.name, three.name})]


def test_where_faces_are_covered_and_nobody_painted_the_way_to_paint_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, engine = built_app(tmp_path / "shop", faces=3), FakeEngine()
    (one, *_), (other, *_) = app.store.faces(Side.A), app.store.faces(Side.B)
    folder = app.workspace.faces_dir(Side.A)
    engine.name = "embedded"

    def hints(**more: Any) -> list[str]:
        return [text for text in trained(app, engine, monkeypatch, **more) if "called covered" in text]

    app.store.add_votes([make_vote(other, "reject", "A1", reason="covered")])
    assert hints(painted={}) == [], "what covers B's faces is not swapped over"
    app.store.add_votes([make_vote(one, "reject", "A1", reason="covered")])
    (hint,) = hints(painted={})
    assert f"1 of {len(list(folder.glob('*.png')))} faces of side A" in hint
    assert hints() == [], "somebody painted"
    engine.name = "fake"
    assert hints(painted={}) == [], "another engine does not learn from it"


def test_only_the_best_faces_are_trained_on_and_why_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, engine = built_app(tmp_path / "shop", faces=9), FakeEngine()
    trained(app, engine, monkeypatch, best=4)
    (given,) = engine.faces_b
    (run,) = runs(app.workspace)
    listed = json.loads((run.folder / "picked.json").read_text(encoding="utf-8"))
    assert len(given) == 4
    assert sorted(name for name, _ in given) == sorted(item["name"] for item in listed["picked"])
    assert run.record["picked"] == {"faces": 4, "of": 9, "lacking": len(listed["lacking"])}
    assert run.record["options"]["best"] == 4
    assert "4 of 9 faces picked" in (run.folder / "events.jsonl").read_text(encoding="utf-8")
    assert not (run.folder / "faces_b").exists(), "links to faces do not stay"
    assert len(list(app.workspace.faces_dir(Side.B).glob("*.png"))) == 9


def test_links_of_a_run_that_was_killed_are_swept(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "faces" / name).write_bytes(name.encode())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "gone.png").symlink_to("nowhere.png")
    with linked(tmp_path / "faces", ["b.png"], tmp_path / "run") as folder:
        assert [path.read_bytes() for path in folder.iterdir()] == [b"b.png"]
    assert not (tmp_path / "run").exists()


def test_where_the_disk_has_no_links_the_best_faces_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "b.png").write_bytes(b"b.png")

    def refuse(*_given: object, **_more: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # as exFAT says it

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with linked(tmp_path / "faces", ["b.png"], tmp_path / "run") as folder:
        assert [path.read_bytes() for path in folder.iterdir()] == [b"b.png"]
        (folder / "b.png").write_bytes(b"mine")
    assert not (tmp_path / "run").exists()
    assert (tmp_path / "faces" / "b.png").read_bytes() == b"b.png"


def test_a_failed_run_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    with pytest.raises(EngineError, match="disk is full"):
        trained(app, FakeEngine("the disk is full"), monkeypatch)
    (run,) = runs(app.workspace)
    assert (run.state, run.record["failed"]) == ("failed", "the disk is full")
    assert list((app.workspace.root / "models").iterdir()) == []


def test_a_model_of_faceswaps_has_one_folder_however_it_is_spelled(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    models = app.workspace.root / "models"
    assert (
        model_folder(app, "faceswap", "dfl_sae")
        == model_folder(app, "faceswap", "DFL-SAE")
        == models / "faceswap-dfl-sae"
    )
    (models / "faceswap-dfl_sae").mkdir(parents=True)
    assert model_folder(app, "faceswap", "dfl_sae") == models / "faceswap-dfl_sae"
    with pytest.raises(EngineError, match="no model 'nonsense'"):
        model_folder(app, "faceswap", "nonsense")


def test_a_run_after_which_another_began_was_killed(tmp_path: Path) -> None:
    app = cast(App, SimpleNamespace(workspace=Workspace(tmp_path, load_settings(None))))
    a_run(tmp_path, 1, "embedded-original")
    with app.workspace.reading_faces("training"):
        assert [run.state for run in runs(app.workspace)] == ["open"]
        a_run(tmp_path, 2, "embedded-original")
        assert [run.state for run in runs(app.workspace)] == ["killed", "open"]


@pytest.mark.in_a_file("what lies in a folder that is no workspace's")
def test_the_last_run_was_killed_where_nobody_holds_the_faces(tmp_path: Path) -> None:
    app = cast(App, SimpleNamespace(workspace=Workspace(tmp_path, load_settings(None))))
    a_run(tmp_path, 1, "embedded-original")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert [run.state for run in runs(app.workspace)] == ["killed"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "asking makes no lock"
    with app.workspace.reading_faces("training"):
        assert [run.state for run in runs(app.workspace)] == ["open"]
    assert [run.state for run in runs(app.workspace)] == ["killed"]
    (record,) = (tmp_path / "runs").glob("train-*/run.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"on": "colab"}))
    assert [run.state for run in runs(app.workspace)] == ["open"], "of a bundle nobody here knows"
