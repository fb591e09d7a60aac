"""A run's page follows its events: each line once, what changed only, and long runs stay small."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from galloway.pipeline.jobs.kept import all_jobs
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web import training as pages
from galloway.pipeline.web.following import Curve
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.schema import faceset_table
from hypothesis import given
from hypothesis import strategies as st

RUN = "train-20261122-090500-000000"


@pytest.fixture
def client(workspace: Workspace) -> Iterator[FlaskClient]:
    """The pages while that run goes on."""
    path = workspace.root / "runs" / RUN / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["result"]
    path.write_text(json.dumps(record), encoding="utf-8")
    with workspace.reading_faces("training"):
        yield create_web_app(workspace).test_client()


def told(workspace: Workspace, text: str) -> None:
    with (workspace.root / "runs" / RUN / "events.jsonl").open("a", encoding="utf-8") as log:
        log.write(text)


@given(st.lists(st.floats(0, 9), max_size=300), st.integers(1, 20))
def test_a_curve_of_any_length_keeps_its_means(values: list[float], half: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("galloway.pipeline.web.following._MOST", 2 * half)
        curve = Curve()
        for x, y in enumerate(values):
            curve.add(float(x), y)
    shown = curve.shown()
    assert len(shown) <= 2 * half
    assert [x for x, _ in shown] == sorted(x for x, _ in shown)
    if values:
        assert min(values) - 1e-9 <= min(y for _, y in shown)
        assert max(y for _, y in shown) <= max(values) + 1e-9
    whole = sum(y for _, y in curve.points) * curve.each
    counted = len(curve.points) * curve.each
    assert whole == pytest.approx(sum(values[:counted]), abs=1e-6)


def test_what_changed_comes_and_what_did_not_is_not_sent(client: FlaskClient, workspace: Workspace) -> None:
    page = client.get(f"/training/{RUN}").text
    assert f'data-parts="/training/{RUN}/live"' in page
    first = client.get(f"/training/{RUN}/live")
    assert first.json is not None
    assert first.json["going_on"] is True
    assert all(first.json["parts"][name] in page for name in ("head", "figures", "losses", "previews", "log"))
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"/training/{RUN}/live", headers=tag).status_code == 304
    told(workspace, 'ss"}\n{"kind": "loss", "iteration": 601, "loss_a": 0.0123, "loss_b": 0.0456}\n{"kind": "saved", ')
    second = client.get(f"/training/{RUN}/live", headers=tag)
    assert second.status_code == 200
    assert second.json is not None
    assert "0.0123" in second.json["parts"]["figures"]
    assert "<b>" not in second.json["parts"]["log"]
    told(workspace, '"iteration": 601}\n')
    assert "2 saves, the last at 601" in client.get(f"/training/{RUN}/live").json["parts"]["figures"]  # type: ignore[index]
    (workspace.root / "runs" / RUN / "preview.png").touch()
    third = client.get(f"/training/{RUN}/live").json
    assert third is not None
    assert third["parts"]["previews"] != second.json["parts"]["previews"], (
        "a picture that was drawn anew has a new address"
    )


def test_a_run_that_begins_is_shown(client: FlaskClient, workspace: Workspace) -> None:
    """Its record has no command before the engine was started, which takes minutes on a machine that is at work."""
    path = workspace.root / "runs" / RUN / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["command"]
    path.write_text(json.dumps(record), encoding="utf-8")
    page, both = f"/training/{RUN}", f"/training/compare?one={RUN}&other={RUN}"
    for address in (page, f"{page}/live", "/training", both):
        assert client.get(address).status_code == 200, address


def test_a_training_that_was_killed_is_not_followed(workspace: Workspace) -> None:
    path = workspace.root / "runs" / RUN / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["result"]
    path.write_text(json.dumps(record), encoding="utf-8")
    client = create_web_app(workspace).test_client()
    page = client.get(f"/training/{RUN}").text
    assert 'class="tag killed"' in page and "data-parts" not in page
    assert client.get(f"/training/{RUN}/live").json["going_on"] is False  # type: ignore[index]
    with workspace.reading_faces("training"):
        assert client.get(f"/training/{RUN}/live").json["going_on"] is True  # type: ignore[index]


def test_a_loss_that_is_no_number_is_none_of_the_curve(client: FlaskClient, workspace: Workspace) -> None:
    log = workspace.root / "runs" / RUN / "events.jsonl"
    log.write_text('{"kind": "loss", "iteration": 1, "loss_a": NaN, "loss_b": 0.0456}\n')
    for address in (
        f"/training/{RUN}",
        f"/training/{RUN}/live",
        "/training",
        f"/training/compare?one={RUN}&other={RUN}",
    ):
        assert client.get(address).status_code == 200, address
    assert "0.0456" in client.get(f"/training/{RUN}").text
    told(workspace, '{"kind": "loss", "iteration": 2, "loss_a": 0.25, "loss_b": Infinity}\n')
    page = client.get(f"/training/{RUN}").text
    assert "0.2500" in page and not {"nan", "inf"} & set(re.findall(r"\w+", page))
    answer = client.get(f"/api/training/{RUN}")
    assert not {"NaN", "Infinity"} & set(re.findall(r"\w+", answer.text))
    assert answer.json is not None
    assert answer.json["loss_a"] == [[1, None], [2, 0.25]] and answer.json["loss_b"] == [[1, 0.0456], [2, None]]


def test_a_run_that_ended_is_not_asked_again(workspace: Workspace) -> None:
    site = create_web_app(workspace).test_client()
    assert "data-parts" not in site.get(f"/training/{RUN}").text
    assert site.get(f"/training/{RUN}/live").json["going_on"] is False  # type: ignore[index]


def test_two_runs_beside_each_other(client: FlaskClient, workspace: Workspace) -> None:
    runs = workspace.root / "runs"
    other = "train-20261123-090500-000000"
    shutil.copytree(runs / RUN, runs / other)
    record = json.loads((runs / other / "run.json").read_text(encoding="utf-8"))
    record["options"]["batch_size"] = 16
    (runs / other / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert f'<option value="{other}">' in client.get(f"/training/{RUN}").text
    page = client.get(f"/training/compare?one={RUN}&other={other}").text
    assert page.count("<polyline") == 4
    assert page.count('alt="Newest preview of the') == 2
    assert '<td data-name="First">8</td><td data-name="Second">16</td>' in page
    assert client.get(f"/training/compare?one={RUN}&other=x").status_code == 404


def test_a_second_is_swapped_on_request_and_plays_in_the_page(
    client: FlaskClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(pages, "start", lambda _w, kind, choices, *, by: asked.append((kind, choices)))
    answer = client.post(f"/training/{RUN}/glimpse", data={"at": "1.5"})
    assert (answer.status_code, answer.location) == (303, f"/training/{RUN}#glimpses")
    assert asked == [("glimpse", {"at": "1.5", "source": ""})]
    folder = workspace.root / "runs" / RUN / "glimpses"
    folder.mkdir()
    name = "20261122-090600-abcdef"
    (folder / f"{name}-side-by-side.mp4").write_bytes(bytes(range(200)))
    record = {"source": "clip", "at": 1.5, "first": 19, "last": 30, "iteration": 600}
    (folder / f"{name}.json").write_text(json.dumps(record))
    (folder / "20261122-090601-abcdef.json").write_text("{}")
    parts = client.get(f"/training/{RUN}/live").json["parts"]  # type: ignore[index]
    assert parts["glimpses"].count("<video") == 1
    assert "clip, 1.5 s, frames 19–30, at iteration 600" in parts["glimpses"]
    part = client.get(f"/training/{RUN}/glimpses/{name}.mp4", headers={"Range": "bytes=3-5"}, buffered=True)
    assert (part.status_code, part.data) == (206, bytes((3, 4, 5)))
    assert client.get(f"/training/{RUN}/glimpses/20261122-090601-abcdef.mp4").status_code == 404
    assert all_jobs(workspace) == []


def test_only_who_may_spend_starts_a_glimpse(workspace: Workspace) -> None:
    site = create_web_app(workspace, actions=False).test_client()
    assert site.post(f"/training/{RUN}/glimpse", data={"at": "0"}).status_code == 403
    assert "Swap this second" not in site.get(f"/training/{RUN}").text


def test_training_goes_on_with_the_model_of_the_newest_run(workspace: Workspace) -> None:
    """Without a word about it, a run of another model began a new one."""
    with workspace.db.begin() as db:
        (merged,) = db.execute(faceset_table.select()).mappings()
        db.execute(faceset_table.insert().values({**merged, "id": "a-20261122", "side": "a"}))
    client = create_web_app(workspace).test_client()
    record = workspace.root / "runs" / "train-20261122-090500-000000" / "run.json"
    for model, offered in (("lightweight", 2), ("of-my-own", 3)):
        record.write_text(json.dumps(json.loads(record.read_text()) | {"model": model}))
        page = client.get("/training").text
        assert f"<option selected>{model}</option>" in page and page.count("<option") == offered
