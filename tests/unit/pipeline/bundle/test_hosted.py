"""A notebook on Kaggle goes on with what an earlier session left, whatever the folders are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.pipeline.bundle import hosted


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("faces-ann", "notebook7/bundle"),
        ("datasets/me/to-kaggle", "notebooks/me/run/bundle"),
        ("to-kaggle", "anns-notebook/bundle"),
    ],
)
def test_the_bundle_in_which_most_happened_goes_on(tmp_path: Path, given: str, left: str) -> None:
    for name in (given, left, "another"):
        folder = tmp_path / "input" / name
        folder.mkdir(parents=True)
        (folder / "bundle.json").write_text("train-2" if name == "another" else "train-1", encoding="utf-8")
        (folder / "who").write_text(name, encoding="utf-8")
    (tmp_path / "input" / left / "events.jsonl").write_text("{}\n", encoding="utf-8")
    (tmp_path / "input" / "another" / "events.jsonl").write_text("{}\n" * 9, encoding="utf-8")
    code = hosted._FIND_KAGGLE.replace("/kaggle/working", str(tmp_path)).replace("/kaggle/input", f"{tmp_path}/input")
    exec(code, {"RUN": "train-1"})
    assert (tmp_path / "bundle" / "who").read_text(encoding="utf-8") == left
    (tmp_path / "bundle" / "who").write_text("in use", encoding="utf-8")
    exec(code, {"RUN": "train-1"})
    assert (tmp_path / "bundle" / "who").read_text(encoding="utf-8") == "in use"


def test_without_the_bundle_it_says_what_to_add(tmp_path: Path) -> None:
    code = hosted._FIND_KAGGLE.replace("/kaggle/", f"{tmp_path}/")
    with pytest.raises(AssertionError, match="Add the bundle as an input"):
        exec(code, {"RUN": "train-1"})
