"""`galloway report` writes its tables as CSV or as Parquet, with the same rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from galloway.pipeline.stages.report import write_report

from tests.support.faces import make_vote
from tests.support.workspace import built_app


def test_tables_are_the_same_as_csv_and_as_parquet(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=4)
    faces = app.store.faces()
    app.store.add_votes([make_vote(face, "keep", worker) for face in faces for worker in ("A1", "A2", "A3")])
    app.store.add_votes([make_vote(faces[0], "reject", "A4", reason="not_a_face")])
    plain = write_report(app, tmp_path / "csv").tables
    packed = write_report(app, tmp_path / "parquet", parquet=True).tables
    assert [path.stem for path in packed] == [path.stem for path in plain]
    assert {path.suffix for path in packed if path.stem.startswith("agreement-")} == {".parquet"}
    assert {path.suffix for path in packed if path.stem.startswith("votes-")} == {".csv"}
    for one, other in zip(plain, packed, strict=True):
        if other.suffix == ".parquet":
            rows = pd.read_parquet(other)
            assert len(rows) == len(pd.read_csv(one))
            assert list(rows.columns) == list(pd.read_csv(one).columns)
    assert len(pd.read_parquet(tmp_path / "parquet" / "agreement-votes.parquet")) == 3 * len(faces) + 1
