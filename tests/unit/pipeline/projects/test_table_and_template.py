"""A project's page and spreadsheet: what does not fit is named before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.errors import VotesError
from galloway.pipeline.errors import StageError
from galloway.pipeline.projects.project import Terms, find_project, make_project
from galloway.pipeline.projects.table import read_table
from galloway.pipeline.projects.template import GALLERY, check_template, filled, gallery_page, variables
from galloway.pipeline.stages.setup import make_workspace

_FIELD = '<input name="answer">'


def file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_variables_are_filled_raw_and_the_form_is_added() -> None:
    page = f'<script>let x = "${{a}}"</script><p>${{ b }} ${{a}}</p>{_FIELD}'
    assert variables(page) == ("a", "b")
    shown = filled(page, {"a": "<i>1</i>", "b": "${a}"})
    assert 'let x = "<i>1</i>"' in shown
    assert "<p>${a} <i>1</i></p>" in shown
    assert "submitButton" in shown
    assert filled(f"<form>{_FIELD}</form>", {}) == f"<form>{_FIELD}</form>"


@pytest.mark.parametrize("text", ["<p>${a}</p>", '<form><input type="hidden" name="assignmentId"><input></form>', ""])
def test_a_template_without_a_field_is_refused(text: str) -> None:
    with pytest.raises(StageError, match="no field with a name"):
        check_template(text, "birds.html")


def test_a_crowd_element_that_nobody_can_answer_is_refused() -> None:
    with pytest.raises(StageError, match="has no categories"):
        check_template('<crowd-form><crowd-classifier name="a"></crowd-classifier></crowd-form>', "birds.html")


@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_can_be_answered(name: str) -> None:
    assert check_template(gallery_page(name), name) == ()
    assert variables(gallery_page(name))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("birt,picture\na,b\n", r"no column bird, .*\$\{bird\}; it has birt, picture. Is birt meant\?"),
        ("bird,bird\na,b\n", "column bird twice"),
        ("bird,picture\n", "no rows"),
        ("bird,picture\n,\n", "no rows"),
        ("bird,picture\na,b\nc,d,e\n", "line 3: more cells than the 2 columns"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StageError, match=words):
        read_table(file(tmp_path, text), ["bird"])


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="no header"):
        read_table(file(tmp_path, ""), ["bird"])


def test_the_same_cells_are_the_same_table(tmp_path: Path) -> None:
    text = 'bird,note\n"Fink, blü",\nAmsel,x\n\n'
    first = read_table(file(tmp_path, text), ["bird"])
    assert first.rows == (("Fink, blü", ""), ("Amsel", "x"))
    assert first.notes == ("Not on the page, but in the results: note.",)
    other = read_table(file(tmp_path, "bird;note\r\nFink, blü;\r\nAmsel;x\r\n".encode("utf-16")), ["bird", "note"])
    assert other.digest == first.digest
    assert other.notes == ("1 cell of note empty, first in line 2.",)
    assert read_table(file(tmp_path, text.replace("x", "y")), ["bird"]).digest != first.digest


def test_a_project_is_made_once_and_read_back(tmp_path: Path) -> None:
    workspace, _ = make_workspace(tmp_path / "ws")
    terms = Terms(title='A "bird"\x7f\n?', description="é", reward="0.10")
    made = make_project(workspace, "birds", terms, gallery_page("yes-no"))
    assert find_project(workspace, "birds") == made
    with pytest.raises(StageError, match="already"):
        make_project(workspace, "birds", terms, gallery_page("yes-no"))
    for name in ("../out", "a b", "", "-x"):
        with pytest.raises(StageError, match="no name for a project"):
            find_project(workspace, name)
    with pytest.raises(StageError, match="there is birds"):
        find_project(workspace, "bird")
    (made.folder / "project.toml").write_text('title = "x"\ndescription = "y"\nreward = "0.001"\n', encoding="utf-8")
    with pytest.raises(StageError, match=r"project\.toml of birds: reward"):
        find_project(workspace, "birds")
