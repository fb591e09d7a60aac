"""Anybody's CSV files, and what is said about their bad rows."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from galloway.curation.errors import VotesError
from galloway.curation.truth import aggregate
from galloway.curation.truth.files import read_gold, read_known, read_votes, write_decisions
from galloway.pipeline.cli.votes import votes as votes_command

GOOD = "worker,task,label\nann,t1,yes\nbob,t1,yes\ncy,t1,no\nann,t2,no\nbob,t2,yes\n"


def write(folder: Path, text: str, name: str = "votes.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_bad_rows_are_counted_and_explained(tmp_path: Path) -> None:
    rows = ["ann,t1,yes", ",t1,no", "bob,,no", "bob,t1,", "ann,t1,no", "ann,t1,yes", "bob,t2,no"]
    text = "worker,task,label,HITId\n" + "".join(f"{row},x\n" for row in rows)
    source = read_votes(write(tmp_path, text))
    assert len(source.votes) == 2
    assert source.notes == (
        "1 unknown column ignored: HITId.",
        "1 row left out: no worker (first in line 3).",
        "1 row left out: no task (first in line 4).",
        "1 row left out: no label (first in line 5).",
        (
            "2 rows left out: the worker had voted on the task before; the first vote counts "
            "(1 of them with another label; first in line 6)."
        ),
    )


@pytest.mark.parametrize("row", ["ann,t1,yes,,", "ann,t1,yes", ' ann ,"t1",yes,'])
def test_commas_too_many_at_the_end_shift_nothing(tmp_path: Path, row: str) -> None:
    source = read_votes(write(tmp_path, f"worker,task,label,note\n{row}\nbob,t1,no,x,\n"))
    assert source.votes.worker_names == ("ann", "bob")
    assert source.votes.label_names == ("no", "yes")


def test_a_row_with_a_cell_too_many_costs_that_row_alone(tmp_path: Path) -> None:
    source = read_votes(write(tmp_path, "worker,task,label\n\nann,t1,yes\n\nann,t2,yes,or no\nbob\n,t1,no\n"))
    assert len(source.votes) == 1
    assert source.notes == (
        "1 row left out: more cells than the header (first in line 5).",
        "1 row left out: no worker (first in line 7).",
        "1 row left out: no task (first in line 6).",
        "every vote says 'yes': nothing contradicts it, and no error can be estimated from that.",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_save_is_read(tmp_path: Path, encoding: str, delimiter: str, end: str) -> None:
    path = tmp_path / "votes.csv"
    text = GOOD.replace("bob", '"bob; the\tsecond, ""B"""').replace(",", delimiter)
    path.write_text(text.replace("\n", end), encoding=encoding, newline="")
    source = read_votes(path)
    assert source.votes.worker_names == ("ann", f'bob; the\tsecond{delimiter} "B"', "cy")
    assert source.votes.task_names == ("t1", "t2")


def test_what_is_no_text_is_refused_and_so_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "votes.csv").write_bytes(b"worker,task,label\na,b,caf\0\n")
    with pytest.raises(VotesError, match=r"votes\.csv is no text"):
        read_votes(tmp_path / "votes.csv")
    with pytest.raises(VotesError, match="cannot be read: Is a directory"):
        read_votes(tmp_path)


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="need three columns"):
        read_votes(write(tmp_path, GOOD), {"worker": "task"})


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    path = write(tmp_path, "WorkerId,Input.image,Answer.keep\nann,t1,yes\nbob,t1,no\n")
    source = read_votes(path, {"worker": "WorkerId", "task": "Input.image", "label": "Answer.keep"})
    assert source.votes.label_names == ("no", "yes")
    assert source.notes == ()


def test_times_and_seconds_are_read_where_they_are(tmp_path: Path) -> None:
    text = "worker,task,label,seconds,submitted_at\nann,t1,yes,4.5,2026-03-01T12:00:00Z\nbob,t1,no,soon,\n"
    source = read_votes(write(tmp_path, text))
    assert source.seconds[0] == 4.5
    assert np.isnan(source.seconds[1])
    assert source.submitted[0] == 1772366400.0
    assert np.isnan(source.submitted[1])


BATCH = (
    '"HITId","WorkerId","AssignmentStatus","SubmitTime","WorkTimeInSeconds","Input.image_url","Answer.kept"\n'
    '"3H","A1","Approved","Wed Mar 04 13:03:14 PST 2020","12","https://example.org/1.jpg","yes"\n'
    '"3H","A2","Approved","Thu Jul 02 13:03:14 PDT 2020","7.5","https://example.org/1.jpg","no"\n'
    '"3H","A3","Approved","some day","","https://example.org/1.jpg","yes"\n'
)


@pytest.mark.parametrize(
    ("header", "cells", "seconds"),
    [
        ("worker;task;label;seconds", ("12,5", "7", "1,25"), [12.5, 7, 1.25]),
        ("worker,task,label,seconds", ('"1,234"', "7", "8.5"), [math.nan, 7, 8.5]),
        ("worker,task,label,seconds", ("inf", "-5", "NA"), [math.nan] * 3),
    ],
)
def test_working_times_of_any_spelling_and_none_that_are_no_time(
    tmp_path: Path, header: str, cells: tuple[str, ...], seconds: list[float]
) -> None:
    mark = header[6]
    lines = [mark.join((f"w{number}", "f", "keep", cell)) for number, cell in enumerate(cells)]
    source = read_votes(write(tmp_path, "\n".join((header, *lines)) + "\n"))
    assert source.seconds.tolist() == pytest.approx(seconds, nan_ok=True)
    lost = sum(math.isnan(one) for one in seconds) - cells.count("NA")
    assert any("say no working time" in note for note in source.notes) is bool(lost)
    assert not lost or f"{lost} of 3 cells say no working time" in source.notes[0]


@pytest.mark.parametrize("unit", [1, 1000, 10**6])
def test_times_may_be_counted_from_1970(tmp_path: Path, unit: int) -> None:
    rows = "".join(f"w{n},f,{said},{(1_777_888_000 + n) * unit}\n" for n, said in enumerate(("keep", "keep", "drop")))
    source = read_votes(write(tmp_path, "worker,task,label,submitted_at\n" + rows))
    assert source.submitted.tolist() == [1_777_888_000, 1_777_888_001, 1_777_888_002]
    assert source.notes == ()


def test_known_answers_that_are_none_or_of_other_tasks_are_said(tmp_path: Path) -> None:
    votes = write(tmp_path, "worker,task,label\n" + "".join(f"{who},f{n},keep\n" for who in "ab" for n in range(4)))
    gold = tmp_path / "gold.csv"
    gold.write_text("task,label\nf0,nan\nf1,keep\nf2,NA\nelsewhere,keep\n")
    assert read_known(gold).labels == {"f1": "keep", "elsewhere": "keep"}
    gold.write_text("task,label\nf1,keep\nf2,NA\nelsewhere,keep\n")
    out = tmp_path / "out.csv"
    done = CliRunner().invoke(votes_command, ["aggregate", str(votes), "--out", str(out), "--gold", str(gold)])
    assert done.exit_code == 0
    assert "1 of its 3 tasks not used: no vote is on them (first: elsewhere)." in done.stderr
    assert "1 row left out: the label says that there is none (NA)." in done.stderr
    assert "NA" not in out.read_text()


def test_the_results_of_an_old_mturk_batch_are_read_with_their_times(tmp_path: Path) -> None:
    path = write(tmp_path, BATCH)
    assert read_votes(path).votes.task_names == ("https://example.org/1.jpg",)
    source = read_votes(path, {"worker": "WorkerId", "task": "Input.image_url", "label": "Answer.kept"})
    assert source.notes == (
        "2 unknown columns ignored: HITId, AssignmentStatus.",
        "1 of 3 cells say no time of submission and are not used (first in line 4: 'some day').",
    )
    assert source.seconds.tolist()[:2] == [12.0, 7.5]
    assert np.isnan(source.seconds[2])
    expected = [datetime(2020, 3, 4, 21, 3, 14, tzinfo=UTC), datetime(2020, 7, 2, 20, 3, 14, tzinfo=UTC)]
    assert source.submitted.tolist()[:2] == [time.timestamp() for time in expected]
    assert np.isnan(source.submitted[2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worker,what,label\na,b,c\n", "has no column task; it has worker, what, label"),
        ("worker,task,label\n,,\n", "holds no usable vote"),
        ("", "has no header in its first line; it needs worker,task,label"),
        ("worker,task,label,label\na,b,c,d\n", "has two columns called label"),
        ('worker,task,label\na,b,c\n\na,"b,c\nd,e,f\n', "line 4 .unexpected end of data.; look at its quotation"),
    ],
)
def test_a_file_that_is_no_votes_table_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(VotesError, match=message):
        read_votes(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"There is no file .*none\.csv"):
        read_votes(tmp_path / "none.csv")


def test_gold_with_two_answers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match="line 3: task 't1' has two known labels"):
        read_gold(write(tmp_path, "task,label\nt1,yes\nt1,no\n"))


def test_gold_without_its_columns_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(VotesError, match=r"has no column label; it has task, truth\. Known answers need the columns"):
        read_gold(write(tmp_path, "task,truth\nt1,yes\n"))


def test_votes_on_two_questions_are_refused_unless_each_task_was_asked_one(tmp_path: Path) -> None:
    text = "worker,task,label,question\nann,t1,yes,usable\nbob,t2,no,identity\n"
    assert len(read_votes(write(tmp_path, text)).votes) == 2
    with pytest.raises(VotesError, match="several questions about the same task"):
        read_votes(write(tmp_path, text + "bob,t1,same,identity\n"))


def test_decisions_are_written_in_the_order_of_tasks_and_a_tie_has_no_label(tmp_path: Path) -> None:
    out = tmp_path / "decisions.csv"
    write_decisions(out, aggregate(read_votes(write(tmp_path, GOOD)).votes, method="majority"))
    assert out.read_text().splitlines() == [
        "task,label,posterior,votes,status",
        "t1,yes,0.625,3,decided",
        "t2,,0.5,2,disputed",
    ]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_aggregate_prints_what_was_left_out_and_writes_the_file(tmp_path: Path) -> None:
    source = write(tmp_path, GOOD + "ann,t1,no\n")
    out = tmp_path / "decisions.csv"
    result = CliRunner().invoke(votes_command, ["aggregate", str(source), "--out", str(out), "--method", "majority"])
    assert result.exit_code == 0, result.output
    assert "1 row left out: the worker had voted on the task before" in result.stderr
    assert "decided 1, disputed 1, undecided 0" in result.stdout
    assert out.read_text().startswith("task,label,posterior,votes,status\n")


def test_gold_is_kept_and_gold_that_fits_nothing_is_said(tmp_path: Path) -> None:
    source, out = write(tmp_path, GOOD), tmp_path / "decisions.csv"
    gold = write(tmp_path, "task,label\nt2,yes\n", "gold.csv")
    arguments = ["aggregate", str(source), "--out", str(out), "--gold"]
    assert CliRunner().invoke(votes_command, [*arguments, str(gold)]).exit_code == 0
    assert "t2,yes,1.0,2,decided" in out.read_text()
    other = write(tmp_path, "task,label\nt9,yes\n", "other.csv")
    assert "none of its 1 tasks" in CliRunner().invoke(votes_command, [*arguments, str(other)]).stderr


def test_the_report_command_writes_one_file_and_prints_the_figures(tmp_path: Path) -> None:
    source, out = write(tmp_path, GOOD), tmp_path / "report.html"
    result = CliRunner().invoke(votes_command, ["report", str(source), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "Krippendorff's alpha" in result.stdout
    assert "<!doctype html>" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("flag", "suffix"), [([], "csv"), (["--parquet"], "parquet")])
def test_the_report_command_writes_its_tables(tmp_path: Path, flag: list[str], suffix: str) -> None:
    folder = tmp_path / "figures"
    arguments = [
        "report",
        str(write(tmp_path, GOOD)),
        "--out",
        str(tmp_path / "r.html"),
        "--tables",
        str(folder),
        *flag,
    ]
    result = CliRunner().invoke(votes_command, arguments)
    assert result.exit_code == 0, result.output
    read = pd.read_parquet if suffix == "parquet" else pd.read_csv
    assert len(read(folder / f"votes.{suffix}")) == 5
    assert sorted(read(folder / f"workers.{suffix}")["worker"]) == ["ann", "bob", "cy"]


def test_pictures_outside_their_folder_are_not_read(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "faces").mkdir()
    Image.new("RGB", (40, 40), "red").save(tmp_path / "secret.png")
    Image.new("RGB", (40, 40), "blue").save(tmp_path / "faces" / "t1.png")
    source = write(tmp_path, "worker,task,label\nann,../secret,yes\nbob,../secret,no\nann,t1,yes\nbob,t1,no\n")
    out = tmp_path / "report.html"
    arguments = [
        "report",
        str(source),
        "--out",
        str(out),
        "--pictures",
        str(tmp_path / "faces"),
        "--method",
        "majority",
    ]
    assert CliRunner().invoke(votes_command, arguments).exit_code == 0
    assert out.read_text(encoding="utf-8").count("data:image/jpeg") == 1


@pytest.mark.parametrize("method", ["auto", "majority", "one-coin", "dawid-skene"])
def test_gold_may_say_what_nobody_said_and_speak_of_other_tasks(tmp_path: Path, method: str) -> None:
    source, out = write(tmp_path, GOOD), tmp_path / "new" / "folder" / "decisions.csv"
    gold = write(tmp_path, "task,label\nt1,maybe\nt9,something else\n", "gold.csv")
    done = CliRunner().invoke(
        votes_command, ["aggregate", str(source), "--out", str(out), "--gold", str(gold), "--method", method]
    )
    assert done.exit_code == 0, done.output
    assert "'maybe' is known of 1 task, but no vote says so" in done.stderr
    assert "something else" not in done.stderr
    assert "1 known answer is kept; without, 0 of 1 would have been decided right: too few to tell of the others" in (
        done.stdout
    )
    assert "t1,maybe,1.0,3,decided" in out.read_text()


def test_a_picture_that_is_none_is_left_out_and_named(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "t1.jpg").write_text("no picture")
    Image.effect_noise((40, 40), 90).save(folder / "t2.png")
    (folder / "t2.jpg").write_bytes((folder / "t2.png").read_bytes()[:600])
    out = tmp_path / "new" / "report.html"
    arguments = ["report", str(write(tmp_path, GOOD)), "--out", str(out), "--pictures", str(folder)]
    done = CliRunner().invoke(votes_command, arguments)
    assert done.exit_code == 0, done.output
    assert "t1.jpg is no PNG, JPEG" in done.stderr
    assert "t2.jpg cannot be read as a picture" in done.stderr
    assert out.read_text(encoding="utf-8").count("data:image/jpeg") == 0


@pytest.mark.parametrize("command", ["aggregate", "report"])
def test_what_is_read_is_never_overwritten(tmp_path: Path, command: str) -> None:
    source, gold = write(tmp_path, GOOD), write(tmp_path, "task,label\nt2,yes\n", "gold.csv")
    (tmp_path / "link.csv").symlink_to(gold)
    for out in (source, tmp_path / "." / "votes.csv", gold, tmp_path / "link.csv"):
        done = CliRunner().invoke(votes_command, [command, str(source), "--gold", str(gold), "--out", str(out)])
        assert isinstance(done.exception, VotesError)
        assert "is the file that is read" in str(done.exception)
    assert source.read_text() == GOOD
    assert gold.read_text() == "task,label\nt2,yes\n"


@pytest.mark.parametrize(
    "text", ["[" * 90_000, '{"a":' * 50_000, '{"worker": "w", "task": "t", "label": ' + "[" * 50_000]
)
def test_a_file_that_is_nested_for_its_own_sake_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "votes.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(VotesError, match="nested too deeply"):
        read_votes(path)


@pytest.mark.parametrize("data", [b"[\x81" + b"[" * 9, b"worker,task,label\na,b,\x81\n", b"\xff\xfew\0o\0r"])
def test_bytes_that_are_no_letters_are_refused_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "votes.json"
    path.write_bytes(data)
    with pytest.raises(VotesError, match=r"votes\.json"):
        read_votes(path)
