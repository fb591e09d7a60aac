"""The examples of docs/api.md run as they stand, against extracted files and a marketplace of our own."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

from tests.support.faceset import build_faceset
from tests.support.mturk import answer_xml

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_of_the_docs_runs(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_faceset(tmp_path, {"clip": {1: 2, 2: 1, 3: 1}})
    names = sorted(path.name for path in built.faces.glob("*.png"))
    labels = ["keep", "reject", "keep", "keep"]
    rows = [f"w{worker},{name},{label}" for name, label in zip(names, labels, strict=True) for worker in "123"]
    (tmp_path / "votes.csv").write_text("\n".join(["worker,task,label", *rows]) + "\n", encoding="utf-8")
    (tmp_path / "gold.csv").write_text(f"task,label\n{names[0]},keep\n", encoding="utf-8")
    (tmp_path / "answer.xml").write_text(answer_xml({"face": "yes"}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example))


@pytest.mark.parametrize("name", ["truth_1_decisions", "faceset_1_merge"])
def test_the_first_examples_are_under_ten_lines(name: str) -> None:
    body = ast.parse((EXAMPLES[0].parent / f"{name}.py").read_text(encoding="utf-8")).body[1:]
    assert sum(part.end_lineno - part.lineno + 1 for part in body if part.end_lineno is not None) < 10
