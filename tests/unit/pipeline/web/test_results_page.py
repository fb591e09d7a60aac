"""The page of results: what it offers to convert, and what was made."""

from __future__ import annotations

import io
import json
import re
import zipfile

from galloway.curation.types import Side
from galloway.pipeline.web import create_web_app
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.records import add_source

from tests.support.faceset import picture


def test_of_several_models_an_older_one_can_be_chosen(workspace: Workspace) -> None:
    client = create_web_app(workspace).test_client()
    assert 'name="model"' not in client.get("/results").text
    (known,) = (workspace.root / "runs").glob("train-*/run.json")
    record = json.loads(known.read_text(encoding="utf-8"))
    newer = workspace.root / "runs" / "train-20991231-000000-000000"
    newer.mkdir()
    (newer / "run.json").write_text(
        json.dumps({**record, "model": "lightweight", "model_dir": "models/embedded-lightweight"}), encoding="utf-8"
    )
    for name in ("embedded-original", "embedded-lightweight"):
        (workspace.root / "models" / name).mkdir(parents=True, exist_ok=True)
        (workspace.root / "models" / name / "embedded.npz").touch()
    page = client.get("/results").text
    offered = page[page.index('name="model"') : page.index("</select>")]
    assert re.findall('value="(.*?)"', offered) == ["", "embedded-lightweight", "embedded-original"]


def test_of_several_films_one_is_chosen(workspace: Workspace) -> None:
    client = create_web_app(workspace).test_client()
    assert 'name="source"' not in client.get("/results").text
    film = workspace.path("sources", "a", "second.mp4")
    film.write_bytes(b"second")
    add_source(workspace, Side.A, "second", kind="video", path=film, sha256="2", person="", basis="own", note="")
    page = client.get("/results").text
    offered = page[page.index('name="source"') : page.index("</select>")]
    assert "<option>second</option>" in offered and offered.count("<option>") == 2


def test_a_film_replaces_one_that_was_made(workspace: Workspace) -> None:
    client = create_web_app(workspace).test_client()
    assert "The film replaces the one that was made before" in client.get("/results").text
    for path in (workspace.root / "results").iterdir():
        path.unlink()
    text = client.get("/results").text
    assert "at iteration" in text and "replaces" not in text


def test_a_folder_of_pictures_is_a_result(workspace: Workspace) -> None:
    folder = workspace.root / "results" / "takes-swapped"
    folder.mkdir()
    pictures = {}
    for number in range(1, 4):
        picture(number).save(path := folder / f"clip_{number:06d}.png")
        pictures[path.name] = path.read_bytes()
    client = create_web_app(workspace).test_client()
    assert "/results/takes-swapped/frames" not in client.get("/results").text, "somebody else's folder"
    (folder.parent / "takes-swapped.json").write_text(
        json.dumps({"sha256": "0", "swapped": 2, "frames": 3, "faces": 2})
    )
    text = client.get("/results").text
    assert ">3 pictures</a>" in text and 'src="/results/takes-swapped/frames/2"' in text
    assert '/judge/takes-swapped"' not in text, "people review films"
    page = client.get("/results/takes-swapped/frames?at=2").text
    assert "clip_000002.png, 2 of 3" in page and 'rel="prev"' in page and 'rel="next"' in page
    assert client.get("/results/takes-swapped/frames?at=99").text.count('rel="next"') == 0
    assert client.get("/results/takes-swapped/frames/3", buffered=True).data == pictures["clip_000003.png"]
    saved = client.get("/results/takes-swapped/frames.zip")
    assert saved.headers["Content-Disposition"] == "attachment; filename=takes-swapped.zip"
    with zipfile.ZipFile(io.BytesIO(saved.data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == pictures
    for path in ("takes-swapped/frames/0", "takes-swapped/frames/4", "other/frames", "clip-swapped.mp4/frames"):
        assert client.get(f"/results/{path}").status_code == 404, path
