"""A crowd in the background is seen before it costs: by person, size and source."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from galloway.curation.screen.identity import PersonGroup
from galloway.curation.screen.priors import Screening
from galloway.curation.types import DecidedBy, Decision, Face, FaceId, Side, Status
from galloway.pipeline.app import App
from galloway.pipeline.asking.crowd import Crowd, persons_found
from galloway.pipeline.asking.decide import decide, infer
from galloway.pipeline.asking.left_out import leave_out, left_out, take_back, with_left_out
from galloway.pipeline.asking.needs import Advice
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.asking.persons import crowd_of, keep_persons
from galloway.pipeline.asking.publish import needs_now
from galloway.pipeline.asking.screening import Screened, report_path, screen_side
from galloway.pipeline.cli.main import cli
from galloway.pipeline.cli.screen import _text
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.sources import plan_removal, remove_source

from tests.support.faceset import snapshot
from tests.support.screen import workspace_with_faces
from tests.support.workspace import built_app


def _face(number: int, source: str, size: int) -> Face:
    return Face(
        FaceId(f"{number}"), Side.B, f"{number}.png", source, f"{source}.mp4", 0, number, (0, 0, size, size + 9)
    )


def _group(*members: int) -> PersonGroup:
    return PersonGroup(np.array(members, dtype=np.intp), len(members) / 8, np.zeros(128, np.float32))


def test_each_person_has_faces_size_sources_and_share() -> None:
    faces = [_face(n, "walk" if n < 5 else "shop", 200 if n < 5 else 20 + n) for n in range(8)]
    main, stranger = persons_found([_group(0, 1, 2, 3, 5), _group(6, 7, 4)], faces)
    assert (main.number, main.faces, main.size, main.sources, main.share) == (1, 5, 200, {"walk": 4, "shop": 1}, 5 / 8)
    assert (stranger.number, stranger.size, stranger.sources) == (2, 27, {"shop": 2, "walk": 1})
    assert str(stranger) == "person 2: 3 clear faces of 27 pixels, 38% (shop 2, walk 1)"


def test_strangers_are_told_after_screening_and_one_person_is_not() -> None:
    faces = [_face(n, "walk", 50) for n in range(4)]
    persons = persons_found([_group(0, 1), _group(2)], faces)
    crowd = Screened(Screening(Side.B, (), "main group"), {}, 0, None, persons)
    assert "person 2: 1 clear face of 50 pixels, 25% (walk 1)" in "\n".join(_text("b", crowd))
    assert [row["faces"] for row in crowd.as_dict()["persons"]] == [2, 1]
    alone = Screened(Screening(Side.B, (), "main group"), {}, 0, None, persons[:1])
    assert "person 1" not in "\n".join(_text("b", alone))


def test_without_identity_nobody_is_told_apart(tmp_path: Path) -> None:
    app = workspace_with_faces(tmp_path / "w", {Side.B: 4})
    assert screen_side(app, Side.B, identity=False).persons == ()


def crowded(root: Path) -> App:
    """Four screened faces: two are the person, two are one stranger."""
    app = workspace_with_faces(root, {Side.B: 4})
    screen_side(app, Side.B, identity=False)
    data = json.loads(report_path(app, Side.B).read_text(encoding="utf-8"))
    known = {face.face_id: face for face in app.store.faces(Side.B)}
    faces = [known[row["face_id"]] for row in data["faces"]]
    keep_persons(app, Side.B, persons_found([_group(0, 1), _group(2, 3)], faces, (0.99, 0.01)))
    return app


def statuses(app: App) -> list[tuple[Status, DecidedBy]]:
    """How each face stands, in the order of the report."""
    found = {item.face_id: item for item in decide(app) if item.question is None}
    rows = json.loads(report_path(app, Side.B).read_text(encoding="utf-8"))["faces"]
    return [(found[row["face_id"]].status, found[row["face_id"]].decided_by) for row in rows]


def test_a_person_is_left_out_and_taken_back(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    before = statuses(app)
    folder = snapshot(app.workspace.faces_dir(Side.B))
    command = ["-w", str(app.workspace.root), "screen", "--side", "b"]
    done = CliRunner().invoke(cli, [*command, "--leave-out", "2"])
    assert (done.exit_code, "Left out on side b: person 2 (2 faces)" in done.output) == (0, True), done.output
    assert statuses(app) == [*before[:2], (Status.REJECTED, DecidedBy.SCREEN), (Status.REJECTED, DecidedBy.SCREEN)]
    assert snapshot(app.workspace.faces_dir(Side.B)) == folder
    screen_side(app, Side.B, identity=False)
    assert statuses(app)[2:] == [(Status.REJECTED, DecidedBy.SCREEN)] * 2, "a new screening forgets nobody"
    done = CliRunner().invoke(cli, [*command, "--take-back", "2"])
    assert (done.exit_code, "Left out on side b: nobody" in done.output) == (0, True), done.output
    assert statuses(app) == before


def test_who_is_left_out_stays_that_person_when_a_later_look_numbers_anew(tmp_path: Path) -> None:
    app = built_app(tmp_path / "w", faces=6)
    standing = app.store.faces(Side.A)
    spectator, newcomer = standing[3].face_id, standing[4].face_id
    keep_persons(app, Side.A, persons_found([_group(0, 1, 2), _group(3)], standing))
    leave_out(app, Side.A, 2)
    keep_persons(app, Side.A, persons_found([_group(0, 1, 2), _group(4, 5), _group(3)], standing))
    assert left_out(app, Side.A) == {3: (spectator,)}
    with pytest.raises(StageError, match="Person 2 of side a was not left out"):
        take_back(app, Side.A, 2)
    leave_out(app, Side.A, 2)
    assert {number: len(faces) for number, faces in left_out(app, Side.A).items()} == {2: 2, 3: 1}
    assert take_back(app, Side.A, 2) == 2
    rejected = {item.face_id for item in infer(app).decisions if item.decided_by is DecidedBy.SCREEN}
    assert (spectator in rejected, newcomer in rejected) == (True, False)
    keep_persons(app, Side.A, persons_found([_group(0, 1, 2), _group(4, 5)], standing))
    assert left_out(app, Side.A) == {3: (spectator,)}, "nobody now: behind all others"
    assert take_back(app, Side.A, 3) == 1
    assert left_out(app, Side.A) == {}


def test_only_who_is_like_the_photographs_is_asked_about(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    before = statuses(app)
    command = ["-w", str(app.workspace.root), "screen", "--side", "b"]
    done = CliRunner().invoke(cli, [*command, "--only-like-reference"])
    assert done.exit_code == 0, done.output
    assert "person 2: 2 clear faces" in done.output
    assert "person 1" not in done.output
    assert statuses(app) == [*before[:2], (Status.REJECTED, DecidedBy.SCREEN), (Status.REJECTED, DecidedBy.SCREEN)]
    people = crowd_of(app, Side.B)
    assert people is not None
    keep_persons(app, Side.B, [replace(person, by_photograph=None) for person in people.persons])
    refused = CliRunner().invoke(cli, [*command, "--only-like-reference"])
    assert (refused.exit_code, "compared with a photograph" in str(refused.exception)) == (1, True)
    keep_persons(app, Side.B, [replace(person, by_photograph=0.01) for person in people.persons])
    assert CliRunner().invoke(cli, [*command, "--only-like-reference"]).exit_code == 1, "it fits nobody"


def test_a_face_that_a_person_keeps_stays_though_it_is_somebody_elses(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    leave_out(app, Side.B, 2)
    kept = left_out(app, Side.B)[2][0]
    overrule(app, kept, "keep", name="Ann", note="it is her, in a mirror")
    assert {item.status for item in decide(app) if item.face_id == kept and item.question is None} == {Status.APPROVED}


def test_people_who_were_asked_win_over_leaving_out(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    leave_out(app, Side.B, 2)
    stranger = left_out(app, Side.B)[2][0]
    kept = Decision(stranger, None, Status.APPROVED, "keep", None, 0.9, 3, DecidedBy.CROWD, "majority")
    assert with_left_out(app, [kept], app.store.faces()) == [kept]


def test_the_right_person_and_unknown_numbers_are_refused(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    with pytest.raises(StageError, match="right person"):
        leave_out(app, Side.B, 1)
    with pytest.raises(StageError, match="no person 7"):
        leave_out(app, Side.B, 7)
    with pytest.raises(StageError, match="was not left out"):
        take_back(app, Side.B, 2)
    assert left_out(app, Side.B) == {}


def test_who_is_left_out_is_in_no_batch_and_stays_out_when_a_source_goes(tmp_path: Path) -> None:
    app = built_app(tmp_path / "w", faces=6)
    standing = app.store.faces(Side.B)
    faces = [face.face_id for face in standing]
    keep_persons(app, Side.B, persons_found([_group(4), _group(0, 1, 2, 3)], standing))
    known = infer(app)
    needs, _ = needs_now(app, known, known.faces, waiting=(), advice=Advice())
    asked = {face.face_id for need in needs for face in need.faces}
    assert asked >= set(faces)
    leave_out(app, Side.B, 2)
    known = infer(app)
    needs, _ = needs_now(app, known, known.faces, waiting=(), advice=Advice())
    asked = {face.face_id for need in needs for face in need.faces}
    assert asked & set(faces) == set(faces[4:])
    remove_source(app, plan_removal(app, Side.A, "clipa"))
    assert left_out(app, Side.B) == {2: tuple(sorted(faces[:4]))}


def test_faces_too_small_are_left_out_and_asked_again(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    before = statuses(app)
    sizes = sorted(min(face.box[2:]) for face in app.store.faces(Side.B))
    command = ["-w", str(app.workspace.root), "screen", "--side", "b", "--leave-out-below"]
    done = CliRunner().invoke(cli, [*command, str(sizes[-1] + 1)])
    assert "Left out on side b: faces smaller than" in done.output, done.output
    assert statuses(app) == [(Status.REJECTED, DecidedBy.SCREEN)] * 4
    leave_out(app, Side.B, 2)
    done = CliRunner().invoke(cli, [*command, "0"])
    assert "Left out on side b: person 2 (2 faces)." in done.output, done.output
    take_back(app, Side.B, 2)
    assert statuses(app) == before


def _crowd(*fits: float | None, unclear: int = 0) -> Crowd:
    """Persons of three, two, one … faces."""
    faces = [_face(n, "walk", 50 + n) for n in range(20)]
    starts = [sum(range(len(fits) - k + 1, len(fits) + 1)) for k in range(len(fits))]
    groups = [_group(*range(start, start + len(fits) - k)) for k, start in enumerate(starts)]
    small = {FaceId(f"u{n}"): 20 + n for n in range(unclear)}
    sizes = (*(min(face.box[2:]) for face in faces), *small.values())
    return Crowd(Side.B, 20, persons_found(groups, faces, fits), small, sizes)


def test_who_is_here_is_told_with_sizes_and_what_to_do() -> None:
    told = _crowd(0.99, 0.01, unclear=4).lines()
    assert told == [
        "Side b, person 1: 2 clear faces of 51 pixels, 10% (walk 2), looks like the right person",
        "Side b, person 2: 1 clear face of 52 pixels, 5% (walk 1), looks like somebody else",
        "Side b: 4 faces too blurred, dark or small to tell who it is, 20 to 23 pixels, half of them below 23",
        "Not to ask about somebody: galloway screen --side b --leave-out NUMBER",
        "Not to ask about 3 faces below 23 pixels: galloway screen --side b --leave-out-below 23",
    ]
    assert _crowd(0.99).lines() == []


def test_no_size_is_offered_below_which_somebody_goes_who_may_be_meant() -> None:
    found = _crowd(None, unclear=4)
    assert (found.spectators_below, found.below(23)) == (23, 3)
    large = {FaceId(f"u{n}"): 60 + n for n in range(4)}
    sizes = (50, 51, *large.values())
    assert replace(found, unclear=large, sizes=sizes).spectators_below == 0, "the person's own are as small"
    assert replace(found, unclear=large, sizes=sizes).below(63) == 5, "clear ones, too, would go"


def test_a_photograph_that_fits_nobody_is_told() -> None:
    assert _crowd(0.04).lines()[0].startswith("Side b: nobody here looks like the photograph. Add another one")
    assert _crowd(None).lines()[0].endswith("Say who it is: galloway screen --side b --this-is NUMBER")
    assert not _crowd(None).fits_nobody, "there is no photograph"


def test_one_face_of_each_person_who_may_be_meant_is_asked_first() -> None:
    assert _crowd(0.97, 0.5).in_doubt == (), "surely the first"
    assert _crowd(0.3, 0.6, 0.01).in_doubt == ("0", "3"), "who is surely somebody else is left out"
    assert _crowd(0.01, 0.02, 0.03, 0.01).in_doubt == ("0", "4", "7"), "nobody fits: the three largest"
    assert _crowd(None, None).in_doubt == (), "there is no photograph to compare with"


def test_looking_again_at_fewer_faces_keeps_what_is_known(tmp_path: Path) -> None:
    app = crowded(tmp_path / "w")
    found = crowd_of(app, Side.B)
    assert found is not None
    assert ([person.fits for person in found.persons], found.unclear, found.faces) == ([0.99, 0.01], {}, 4)
    assert crowd_of(app, Side.A) is None
