"""Dataset cards and their difference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.curation.errors import FormatError
from galloway.curation.faceset.cards.card import (
    Card,
    QuestionRecord,
    SourceRecord,
    card_from_json,
    diff_cards,
    read_card,
)
from galloway.curation.faceset.cards.page import card_html, card_text
from galloway.curation.faceset.dialects.left_out import XsegLeft, note_left_out
from galloway.curation.types import Side
from galloway.pipeline.cli.main import cli
from galloway.pipeline.errors import NotApproved, StageError
from galloway.pipeline.stages.cards import find_card, make_card, write_card
from galloway.pipeline.stages.merge import merge
from hypothesis import given
from hypothesis import strategies as st

from tests.support.screen import answer, workspace_with_faces


def _card(faces: dict[str, str] | None = None, **changes: object) -> Card:
    values: dict[str, object] = {
        "id": "b-1",
        "side": "b",
        "merge_id": "1",
        "parents": (),
        "digest": "d1",
        "approved_at": "2026-05-04T12:00:00+00:00",
        "faces": {"f1": "a_1.png", "f2": "a_2.png"} if faces is None else faces,
        "excluded": 3,
        "reasons": {"blurred": 2, "another_person": 1},
        "decided_by": {"crowd": 3},
        "sources": (SourceRecord("clip", "Ann", "consent", "signed", "0" * 64, "2026-05-01", 2),),
        "questions": (QuestionRecord("usable", 5, 15, 3, 0, 0.8, 0.9),),
    }
    return Card(**{**values, **changes})  # type: ignore[arg-type]


NAMES = st.dictionaries(
    st.text("abcdef0123456789", min_size=4, max_size=8), st.text("abc_.png", min_size=1), max_size=8
)


@given(NAMES)
def test_a_card_survives_json(faces: dict[str, str]) -> None:
    card = _card(faces)
    assert card_from_json(json.loads(card.to_json())) == card


@given(NAMES, NAMES)
def test_a_difference_leads_from_one_to_the_other(old: dict[str, str], new: dict[str, str]) -> None:
    found = diff_cards(_card(old), _card(new))
    assert (set(old) - set(found.removed)) | set(found.added) == set(new)
    back = diff_cards(_card(new), _card(old))
    assert (back.added, back.removed) == (found.removed, found.added)
    assert found.is_empty == (old == new)


def test_kin_is_told() -> None:
    child = _card({"f1": "a_1.png"}, id="b-2", parents=("b-1",), digest="d2", reasons={"blurred": 3})
    found = diff_cards(_card(), child)
    assert (found.related, found.removed) == ("parent", ("f2",))
    assert found.reasons == {"blurred": (2, 3), "another_person": (1, 0)}
    assert "b-2 was made from b-1" in found.to_text()
    assert diff_cards(_card(), _card()).to_text() == "b-1 and b-1 hold the same faces."


def test_what_is_not_known_is_said() -> None:
    source = SourceRecord("clip", "", "", "", "", "", 2)
    card = _card(
        sources=(source, SourceRecord("film", "Ann", "consent", "", "0", "", 1)),
        questions=(QuestionRecord("usable", 5, 15, 3, 6, None, None),),
        decided_by={"screen": 2, "crowd": 1},
        changed=True,
    )
    gaps = " ".join(card.gaps())
    for words in (
        "clip nobody recorded",
        "film: the basis is consent",
        "6 of 15 votes",
        "2 faces were left out by",
        "changed",
    ):
        assert words in gaps
    assert _card().gaps() == ()


def test_the_page_escapes_names() -> None:
    html = card_html(_card(sources=(SourceRecord("<b>x</b>", "<script>", "own", "", "", "", 1),)))
    assert "<script>" not in html and "<b>" not in html
    assert "own likeness" in html


def test_the_card_says_where_each_photograph_came_from() -> None:
    told = ({"file": "照.jpg", "source": "https://example.org/<1>", "licence": "CC0"},)
    card = _card(sources=(SourceRecord("p", "Ann", "licence", "n", "", "", 1, told),))
    html = card_html(card)
    assert "照.jpg" in html and "https://example.org/&lt;1&gt;" in html and "CC0" in html
    assert card_from_json(json.loads(card.to_json())).sources[0].pictures == told


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "galloway-card/1"}', '{"format": "other"}', '"' + "x" * 10])
def test_what_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match="galloway faceset card"):
        read_card(path)


def test_the_card_says_what_xseg_left_in_pictures_of_deepfacelab(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 6})
    note_left_out(app.workspace.faces_dir(Side.B), [XsegLeft("party", 7, 1, "aligned")])
    answer(app, Side.B, rejected={1})
    merge(app, Side.B)
    card = make_card(app, Side.B)
    for text in (card_html(card), card_text(card)):
        assert "7 XSeg masks and 1 set of XSeg polygons" in text and "aligned" in text
    assert card_from_json(json.loads(card.to_json())).notes == card.notes


def test_the_card_of_an_approved_faceset(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 6})
    with pytest.raises(NotApproved, match="galloway merge"):
        make_card(app, Side.B)
    answer(app, Side.B, rejected={1, 4})
    merge(app, Side.B)
    card = make_card(app, Side.B)
    assert (len(card.faces), card.excluded, card.reasons, card.decided_by) == (4, 2, {"blurred": 2}, {"crowd": 2})
    assert card.sources[0].basis_text == "consent" and card.sources[0].faces == 4
    assert [(q.question, q.faces, q.votes, q.workers) for q in card.questions] == [
        ("usable", 6, 18, 3),
        ("identity", 6, 18, 3),
    ]
    assert card.questions[0].alpha == 1.0
    assert not card.changed and card.gaps() == ()
    assert card_text(card).startswith(f"Faceset {card.id}: 4 faces")


def test_a_changed_folder_shows_on_the_card(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 3})
    answer(app, Side.B, rejected={0})
    merge(app, Side.B)
    next(app.workspace.faces_dir(Side.B).glob("*.png")).unlink()
    assert make_card(app, Side.B).changed


def test_the_commands_write_and_compare_cards(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.A: 3, Side.B: 4})
    root, run = str(app.workspace.root), CliRunner()
    refused = run.invoke(cli, ["-w", root, "faceset", "card"])
    assert isinstance(refused.exception, NotApproved)
    for side, rejected in ((Side.A, {0}), (Side.B, {1})):
        answer(app, side, rejected=rejected, number=1 if side is Side.A else 2)
        merge(app, side)
    done = run.invoke(cli, ["-w", root, "faceset", "card", "--json"])
    assert done.exit_code == 0, done.output
    ids = [item["id"] for item in json.loads(done.stdout)]
    assert [name[0] for name in ids] == ["a", "b"]
    same = run.invoke(cli, ["-w", root, "faceset", "diff", ids[1], "b", "--json"])
    assert json.loads(same.stdout)["same"] is True
    other = run.invoke(cli, ["-w", root, "faceset", "diff", "a", "b"])
    assert "neither was made from the other" in other.stdout


def test_an_unknown_card_is_named(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 2})
    with pytest.raises(StageError, match="b-nothing"):
        find_card(app, "b-nothing")
    with pytest.raises(StageError, match="no file"):
        find_card(None, "b-nothing")


def test_a_card_on_disk_is_the_card(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 3})
    answer(app, Side.B, rejected={2})
    merge(app, Side.B)
    card = make_card(app, Side.B)
    page, path = write_card(app, card)
    assert read_card(path) == card
    assert page.read_text(encoding="utf-8").count("<table") >= 3


def test_readiness_in_a_workspace(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.A: 5, Side.B: 4})
    done = CliRunner().invoke(
        cli, ["-w", str(app.workspace.root), "faceset", "readiness", "--json", "--set", "near=90"]
    )
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["faces"], len(data["frames"]), data["thresholds"]["near"]) == (4, 5, 90.0)
    assert (app.workspace.root / "reports" / "readiness-b.html").is_file()


def test_readiness_of_plain_folders(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.A: 2, Side.B: 3})
    one, other = (str(app.workspace.faces_dir(side)) for side in (Side.B, Side.A))
    output = tmp_path / "ready.html"
    arguments = ["faceset", "readiness", one, "--against", other, "-o", str(output), "--headers-only"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert output.is_file() and output.with_suffix(".json").is_file()
    assert "covers the clip" in done.stdout
