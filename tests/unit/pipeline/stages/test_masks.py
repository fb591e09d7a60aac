"""Occlusion masks handed on from a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from galloway.curation.faceset.png.headers import read_png
from galloway.curation.faceset.png.types import Alignments, FrameFaces
from galloway.curation.types import no_progress
from galloway.pipeline.engines.embedded.occlusion.ground import ground_of
from galloway.pipeline.engines.embedded.occlusion.learn import Taught, save_taught
from galloway.pipeline.engines.embedded.occlusion.net import SIDE, OcclusionNet
from galloway.pipeline.stages.masks import handed_on

from tests.support.engines import landmarks_at, write_faces
from tests.support.workspace import built_app


def test_the_newest_model_that_has_learnt_masks_makes_them(tmp_path: Path) -> None:
    app = built_app(tmp_path / "shop", faces=3)
    write_faces(tmp_path / "faces", 3)
    headers = [read_png(path)[0] for path in sorted((tmp_path / "faces").glob("*.png"))]
    found = Alignments({header.source.source_filename: FrameFaces([header.alignment]) for header in headers})
    assert handed_on(app, tmp_path / "faces", found, no_progress) == (found, 0)
    run, model = app.workspace.root / "runs" / "train-1", app.workspace.root / "models" / "embedded-original"
    run.mkdir(parents=True)
    record = {"engine": "embedded", "model": "original", "model_dir": "models/embedded-original", "facesets": {}}
    (run / "run.json").write_text(json.dumps({**record, "options": {}, "started_at": "2026-11-26T00:00:00+00:00"}))
    net, images = OcclusionNet(), np.full((1, SIDE, SIDE, 3), 127, np.uint8)
    net.grounds = (ground_of(images, landmarks_at(SIDE / 2, SIDE / 2, SIDE / 2)[None].astype(np.float64)),)
    save_taught(model, net, Taught(10, "", overlap=0.4))
    assert handed_on(app, tmp_path / "faces", found, no_progress)[1] == 0, "it finds too little"
    save_taught(model, net, Taught(500, "", overlap=0.9))
    masked, count = handed_on(app, tmp_path / "faces", found, no_progress)
    assert count == 3
    assert all("custom_face" in frame.faces[0].masks for frame in masked.frames.values())
