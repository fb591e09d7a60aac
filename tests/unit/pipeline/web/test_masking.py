"""The page on which parts of a film are masked out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.stages.masking import find_source, set_regions
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.masked import kept_regions
from PIL import Image

from tests.support.judged import film_app

PAGE = "/mask/a/clipa"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[App, FlaskClient]]:
    app, _film = film_app(tmp_path / "ws")
    site = create_web_app(app.workspace)
    yield app, site.test_client()
    jobs(site).close()


def test_a_region_is_drawn_moves_and_goes(opened: tuple[App, FlaskClient]) -> None:
    app, client = opened
    assert client.get(PAGE).status_code == 200
    assert PAGE in client.get("/facesets").text
    key = {"region": "0", "name": "man", "frame": "1", "x": "0", "y": "0", "width": "50", "height": "60"}
    assert client.post(f"{PAGE}/key", data=key).status_code == 303
    assert (
        client.post(f"{PAGE}/key", data={**key, "region": "1", "name": "", "frame": "41", "x": "80"}).status_code == 303
    )
    (region,) = kept_regions(app.workspace, Side.A, "clipa").regions
    assert (region.name, region.at(21)[0]) == ("man", (40.0, 0.0))
    assert "frame 41" in client.get(f"{PAGE}?frame=41").text
    plain, shaded = (
        Image.open(io.BytesIO(client.get(f"{PAGE}/frame/{number}").data)).getpixel((20, 20)) for number in (41, 1)
    )
    assert plain != shaded, "it has moved away from there"
    client.post(f"{PAGE}/drop", data={"region": "1", "frame": "1"})
    client.post(f"{PAGE}/drop", data={"region": "1", "frame": "41"})
    assert not kept_regions(app.workspace, Side.A, "clipa")


def test_a_rectangle_that_somebody_else_adds_meanwhile_stays(
    opened: tuple[App, FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, client = opened
    source, held = find_source(app, Side.A, "clipa"), Workspace.lock
    theirs = '{"regions": [{"name": "theirs", "keys": [{"frame": 1, "rectangle": [0, 0, 9, 9]}]}]}'

    @contextmanager
    def after_them(workspace: Workspace, doing: str, **how: Any) -> Iterator[None]:
        set_regions(app, source, theirs, "x")
        with held(workspace, doing, **how):
            yield

    monkeypatch.setattr(Workspace, "lock", after_them)
    key = {"region": "0", "name": "mine", "frame": "1", "x": "0", "y": "0", "width": "50", "height": "60"}
    assert client.post(f"{PAGE}/key", data=key).status_code == 303
    assert [region.name for region in kept_regions(app.workspace, Side.A, "clipa").regions] == ["theirs", "mine"]


def test_json_is_set_whole_or_refused_with_its_place(opened: tuple[App, FlaskClient]) -> None:
    app, client = opened
    good = '{"regions": [{"keys": [{"frame": 1, "polygon": [[0, 0], [9, 0], [0, 9]]}]}]}'
    assert client.post(f"{PAGE}/json", data={"json": good}).status_code == 303
    refused = client.post(f"{PAGE}/json", data={"json": good.replace("1,", "0,", 1)})
    assert refused.status_code == 400
    assert "region 1, key 1, frame" in refused.text
    mixed = {"region": "1", "frame": "9", "x": "0", "y": "0", "width": "5", "height": "5"}
    assert "corners" in client.post(f"{PAGE}/key", data=mixed).text
    assert len(kept_regions(app.workspace, Side.A, "clipa").regions[0].keys) == 1


def test_what_is_not_there_is_said(opened: tuple[App, FlaskClient]) -> None:
    _app, client = opened
    assert client.get("/mask/c/clipa").status_code == 404
    assert client.get("/mask/a/other").status_code == 400
    assert client.get(f"{PAGE}/frame/9999").status_code == 404
    assert client.post(f"{PAGE}/key", data={"frame": "x"}).status_code == 400
    with client.get(f"{PAGE}/film", headers={"Range": "bytes=0-99"}) as part:
        assert (part.status_code, len(part.data)) == (206, 100)
