"""Votes in the files that people have: each recognised by its header, and read with what its makers mean by it."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from galloway.curation.errors import VotesError
from galloway.curation.truth.files import VotesFile, read_known, read_votes
from galloway.extras import MissingExtra, require
from galloway.pipeline.cli.votes import votes as votes_command

PLAIN = "worker,task,label\nann,f1,keep\nbob,f1,keep\ncy,f1,reject\nann,f2,reject\nbob,f2,reject\n"


def rows(source: VotesFile) -> list[tuple[str, str, str]]:
    votes = source.votes
    codes = zip(votes.workers.tolist(), votes.tasks.tolist(), votes.labels.tolist(), strict=True)
    return [(votes.worker_names[w], votes.task_names[t], votes.label_names[a]) for w, t, a in codes]


def read(folder: Path, text: str | bytes, name: str = "votes.csv", **options: Any) -> VotesFile:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_votes(path, **options)


def as_json(value: object) -> str:
    return json.dumps(value)


def as_lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def batch(header: str, *lines: str) -> str:
    start = "HITId,AssignmentId,WorkerId,AssignmentStatus,SubmitTime,WorkTimeInSeconds,Input.url"
    return f"{start},{header},Approve,Reject\n" + "".join(f"{line},,\n" for line in lines)


HIT = "Wed Mar 04 13:03:14 PST 2020,12,https://example.org"


def test_a_batch_of_mturk_without_its_rejected_assignments(tmp_path: Path) -> None:
    text = batch(
        "Answer.kind.label",
        f"h1,a1,A1,Approved,{HIT}/1.jpg,keep",
        f"h1,a2,A2,Rejected,{HIT}/1.jpg,reject",
        f"h1,a3,A3,Submitted,{HIT}/1.jpg,keep",
        f"h2,a4,A1,Approved,{HIT}/2.jpg,reject",
    )
    source = read(tmp_path, text)
    assert rows(source) == [
        ("A1", "https://example.org/1.jpg", "keep"),
        ("A3", "https://example.org/1.jpg", "keep"),
        ("A1", "https://example.org/2.jpg", "reject"),
    ]
    assert source.seconds.tolist() == [12.0] * 3
    assert source.submitted[0] == 1583355794.0
    assert "1 assignment left out: rejected." in source.notes


def test_a_page_of_faces_is_a_task_a_face(tmp_path: Path) -> None:
    text = batch(
        "Answer.face1,Answer.face2", f"h1,a1,A1,Approved,{HIT},keep,reject", f"h1,a2,A2,Approved,{HIT},keep,keep"
    )
    source = read(tmp_path, text)
    assert rows(source)[:2] == [
        ("A1", "https://example.org#face1", "keep"),
        ("A1", "https://example.org#face2", "reject"),
    ]


def test_two_questions_need_a_word_which_is_meant_and_typed_text_is_none(tmp_path: Path) -> None:
    said = [("keep" if n % 2 else "reject", "dark" if n % 3 else "light") for n in range(40)]
    lines = [
        f"h{n},a{n},A{n % 3},Approved,{HIT}/{n}.jpg,{kind},{light},note {n}" for n, (kind, light) in enumerate(said)
    ]
    text = batch("Answer.kind,Answer.light,Answer.comment", *lines)
    with pytest.raises(VotesError, match=r"asks several questions: kind \(.*--label-column"):
        read(tmp_path, text)
    assert set(read(tmp_path, text, columns={"label": "Answer.light"}).votes.label_names) == {"dark", "light"}
    alone = read(
        tmp_path,
        batch("Answer.kind,Answer.comment", *(line.replace(",dark", "").replace(",light", "") for line in lines)),
    )
    assert alone.votes.label_names == ("keep", "reject")
    assert any("not read as votes: comment" in note for note in alone.notes)


def test_radio_buttons_and_json_answers_of_crowd_elements(tmp_path: Path) -> None:
    radio = batch(
        "Answer.kind.keep,Answer.kind.reject",
        f"h1,a1,A1,Approved,{HIT},true,false",
        f"h1,a2,A2,Approved,{HIT},false,true",
    )
    assert [label for _, _, label in rows(read(tmp_path, radio))] == ["keep", "reject"]
    cell = '"[{""kind"":{""label"":""keep""}}]"'
    packed = batch("Answer.taskAnswers", f"h1,a1,A1,Approved,{HIT},{cell}")
    assert [label for _, _, label in rows(read(tmp_path, packed))] == ["keep"]


XML = (
    '<QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/x.xsd"><Answer><QuestionIdentifier>q'
    "</QuestionIdentifier><FreeText>keep</FreeText></Answer></QuestionFormAnswers>"
)
ASSIGNMENT = {"WorkerId": "A1", "HITId": "h1", "AssignmentStatus": "Approved", "Answer": XML}


def test_assignments_of_the_api(tmp_path: Path) -> None:
    listed = {
        "NumResults": 2,
        "Assignments": [ASSIGNMENT, {**ASSIGNMENT, "WorkerId": "A2", "AssignmentStatus": "Rejected"}],
    }
    assert rows(read(tmp_path, as_json(listed), "a.json")) == [("A1", "h1", "keep")]


def test_a_full_report_of_crowdflower_with_its_test_questions(tmp_path: Path) -> None:
    text = (
        "_unit_id,_golden,_created_at,_tainted,_trust,_worker_id,kind,kind_gold,url\n"
        "1,true,5/4/2015 14:11:22,false,0.9,w1,keep,keep,http://x/1\n"
        "1,true,5/4/2015 14:11:23,false,0.9,w2,reject,keep,http://x/1\n"
        "2,false,5/4/2015 14:11:24,false,0.9,w1,reject,,http://x/2\n"
        "2,false,5/4/2015 14:11:25,true,0.1,w3,keep,,http://x/2\n"
    )
    source = read(tmp_path, text)
    assert rows(source) == [("w1", "1", "keep"), ("w2", "1", "reject"), ("w1", "2", "reject")]
    assert source.gold == {"1": "keep"}
    assert source.submitted[0] == 1430748682.0
    with pytest.raises(VotesError, match="aggregated report"):
        read(tmp_path, "_unit_id,_golden,kind,kind:confidence\n1,false,keep,0.9\n")


def test_toloka_with_its_golden_tasks(tmp_path: Path) -> None:
    text = (
        "INPUT:image\tOUTPUT:result\tGOLDEN:result\tASSIGNMENT:worker_id\tASSIGNMENT:status\n"
        "f0.jpg\tkeep\tkeep\tw0\tAPPROVED\nf0.jpg\treject\tkeep\tw1\tREJECTED\nf1.jpg\treject\t\tw0\tAPPROVED\n"
    )
    source = read(tmp_path, text, "assignments.tsv")
    assert rows(source) == [("w0", "f0.jpg", "keep"), ("w0", "f1.jpg", "reject")]
    assert source.gold == {"f0.jpg": "keep"}
    assert "1 answers left out: rejected." in source.notes


def label_studio(worker: object, label: str, **fields: object) -> dict[str, Any]:
    result = {"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
    return {"id": 1, "completed_by": worker, "lead_time": 4.2, "result": [result], **fields}


def test_label_studio_as_json_csv_and_json_min(tmp_path: Path) -> None:
    given = [
        label_studio(1, "keep"),
        label_studio({"id": 2, "email": "b@x.org"}, "reject"),
        label_studio(3, "keep", was_cancelled=True),
        label_studio(4, "keep", ground_truth=True),
    ]
    whole = read(tmp_path, as_json([{"id": 7, "data": {"image": "/f0.jpg"}, "annotations": given}]), "e.json")
    assert rows(whole) == [("1", "/f0.jpg", "keep"), ("b@x.org", "/f0.jpg", "reject"), ("4", "/f0.jpg", "keep")]
    assert whole.gold == {"/f0.jpg": "keep"}
    several = '"{""choices"": [""a"", ""b""]}"'
    table = f"image,id,kind,annotator,annotation_id,lead_time\n/f0.jpg,7,keep,1,1,4.2\n/f0.jpg,7,{several},2,2,4\n"
    assert rows(read(tmp_path, table)) == [("1", "/f0.jpg", "keep"), ("2", "/f0.jpg", "a|b")]
    least = {"image": "/f0.jpg", "id": 7, "kind": "keep", "annotator": 1, "annotation_id": 1, "lead_time": 4.2}
    assert rows(read(tmp_path, as_json([least]), "min.json")) == [("1", "/f0.jpg", "keep")]


def test_label_studio_with_its_columns_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    header = "annotation_id,annotator,created_at,id,image,kind,lead_time,updated_at\n"
    said = [(1, 1, 7, "f0", "keep"), (2, 2, 7, "f0", "reject"), (3, 1, 8, "f1", "keep")]
    table = header + "".join(f"{note},{who},x,{task},/{name}.jpg,{kind},4,x\n" for note, who, task, name, kind in said)
    expected = [("1", "/f0.jpg", "keep"), ("2", "/f0.jpg", "reject"), ("1", "/f1.jpg", "keep")]
    assert rows(read(tmp_path, table)) == expected
    with pytest.raises(VotesError, match="no control of Label Studio beside"):
        read(tmp_path, header.replace("kind,", "") + "1,1,x,7,/f0.jpg,4,x\n", "none.csv")


def test_sagemaker(tmp_path: Path) -> None:
    content = as_json({"crowd-image-classifier": {"label": "keep"}})
    annotation = {"workerId": "private.w0", "annotationData": {"content": content}}
    item = {"datasetObjectId": "0", "dataObject": {"s3Uri": "s3://b/f0.jpg"}, "annotations": [annotation]}
    assert rows(read(tmp_path, as_json([item]), "c.json")) == [("private.w0", "s3://b/f0.jpg", "keep")]
    response = {
        "workerId": "private.w1",
        "answerContent": {"crowd-image-classifier": {"label": "reject"}},
        "timeSpentInSeconds": 3.5,
    }
    one = read(tmp_path, as_json({"answers": [response]}), "f0.json")
    assert rows(one) == [("private.w1", "f0", "reject")]
    assert one.seconds.tolist() == [3.5]
    with pytest.raises(VotesError, match="output manifest of SageMaker"):
        read(
            tmp_path,
            as_lines({"source-ref": "s3://b/f0.jpg", "job": 0, "job-metadata": {"class-name": "keep"}}),
            "o.manifest",
        )


def test_prodigy_choices_and_yes_or_no(tmp_path: Path) -> None:
    base = {"image": "f0.jpg", "_input_hash": 1, "_task_hash": 2, "_timestamp": 1690289516}
    text = as_lines(
        {**base, "options": [{"id": "keep"}], "accept": ["keep"], "answer": "accept", "_annotator_id": "w0"},
        {**base, "options": [{"id": "keep"}], "accept": [], "answer": "ignore", "_annotator_id": "w1"},
    )
    source = read(tmp_path, text, "p.jsonl")
    assert rows(source) == [("w0", "f0.jpg", "keep")]
    assert source.submitted.tolist() == [1690289516.0]
    assert "1 answers left out: ignored." in source.notes
    binary = {"text": "x", "_input_hash": 1, "_task_hash": 2, "label": "SPAM", "_session_id": "s"}
    said = read(
        tmp_path,
        as_lines({**binary, "answer": "reject"}, {**binary, "_session_id": "t", "answer": "accept"}),
        "b.jsonl",
    )
    assert rows(said) == [("s", "x", "not SPAM"), ("t", "x", "SPAM")]


def test_doccano_with_and_without_its_annotator(tmp_path: Path) -> None:
    text = as_lines({"id": 0, "text": "x", "label": ["keep"], "annotator": "w1"})
    assert rows(read(tmp_path, text, "d.jsonl")) == [("w1", "0", "keep")]
    old = as_lines({"id": 0, "text": "x", "annotations": [{"label": 3, "user": 1}, {"label": 4, "user": 2}]})
    assert rows(read(tmp_path, old, "old.jsonl")) == [("1", "0", "3"), ("2", "0", "4")]
    with pytest.raises(VotesError, match="does not say who"):
        read(tmp_path, as_lines({"id": 0, "text": "x", "label": ["keep"]}), "e.jsonl")
    with pytest.raises(VotesError, match="marked passages"):
        read(tmp_path, as_lines({"id": 0, "text": "x", "label": [[0, 1, "P"]], "annotator": "w1"}), "f.jsonl")


def test_labelbox(tmp_path: Path) -> None:
    radio = {"name": "q", "radio_answer": {"name": "keep"}}
    label = {"label_details": {"created_by": "w@x.org"}, "annotations": {"classifications": [radio]}}
    text = as_lines({"data_row": {"id": "d0", "external_id": "f0.jpg"}, "projects": {"p": {"labels": [label]}}})
    assert rows(read(tmp_path, text, "l.ndjson")) == [("w@x.org", "f0.jpg", "keep")]


def test_argilla_of_both_versions(tmp_path: Path) -> None:
    new = [
        {"id": 0, "responses": {"label": [{"user_id": "u1", "value": "keep"}, {"user_id": "u2", "value": "reject"}]}}
    ]
    assert rows(read(tmp_path, as_json(new), "n.json")) == [("u1", "0", "keep"), ("u2", "0", "reject")]
    old = [
        {
            "external_id": "r0",
            "responses": [
                {"user_id": "u1", "status": "submitted", "values": {"label": {"value": "keep"}}},
                {"user_id": "u2", "status": "discarded", "values": {"label": {"value": "reject"}}},
            ],
        }
    ]
    assert rows(read(tmp_path, as_json(old), "o.json")) == [("u1", "r0", "keep")]
    flat = {"id": "r0", "text": "x", "kind.responses": ["keep", "reject"], "kind.responses.users": ["u1", "u2"]}
    assert rows(read(tmp_path, as_json([flat]), "f.json")) == [("u1", "r0", "keep"), ("u2", "r0", "reject")]
    draft = flat | {"kind.responses.status": ["submitted", "draft"]}
    assert rows(read(tmp_path, as_json([draft]), "d.json")) == [("u1", "r0", "keep")]


def test_cvat_with_its_assignee_and_without(tmp_path: Path) -> None:
    image = '<image id="0" name="f0.jpg"><tag label="keep" source="manual"/></image>'
    meta = "<meta><job><assignee><username>ann</username></assignee></job></meta>"
    assert rows(read(tmp_path, f"<annotations>{meta}{image}</annotations>", "c.xml")) == [("ann", "f0.jpg", "keep")]
    with pytest.raises(VotesError, match="does not say who gave the tags"):
        read(tmp_path, f"<annotations>{image}</annotations>", "d.xml")


def test_zooniverse(tmp_path: Path) -> None:
    header = "classification_id,user_name,gold_standard,metadata,annotations,subject_ids\n"
    meta = '"{""started_at"":""2018-02-20T10:41:13Z"",""finished_at"":""2018-02-20T10:41:20Z""}"'
    said = '"[{""task"":""T0"",""task_label"":""Keep?"",""value"":""Yes""}]"'
    source = read(tmp_path, f"{header}0,vol0,,{meta},{said},17\n1,expert,true,{meta},{said},17\n")
    assert rows(source) == [("vol0", "17", "Yes")]
    assert source.gold == {"17": "Yes"}
    assert source.seconds.tolist() == [7.0]


def test_a_wide_table_is_one_column_a_voter(tmp_path: Path) -> None:
    source = read(tmp_path, "item,ann,bob\nf1,keep,keep\nf2,reject,\nf3,keep,reject\n")
    assert rows(source)[:3] == [("ann", "f1", "keep"), ("bob", "f1", "keep"), ("ann", "f2", "reject")]
    assert len(source.votes) == 5
    with pytest.raises(VotesError, match="has no column worker, task, label"):
        read(tmp_path, "name,age,town\nx,41,Rome\ny,22,Bonn\n")


def wide(header: str, *ends: str) -> str:
    """A wide table of eight tasks; `ends` follow each row."""
    lines = [f"f{n},{'keep' if n % 2 else 'drop'},keep,{'' if n % 3 else 'drop'}" for n in range(8)]
    return f"{header}\n" + "".join(f"{line}{ends[n % len(ends)] if ends else ''}\n" for n, line in enumerate(lines))


def test_a_wide_table_may_hold_known_answers_notes_and_voters_without_a_vote(tmp_path: Path) -> None:
    plain = rows(read(tmp_path, wide("task,ann,bob,cy")))
    gold = read(tmp_path, wide("task,ann,bob,cy,gold", ",keep", ",drop", ","))
    assert rows(gold) == plain
    assert gold.gold == {f"f{n}": "keep" if n % 3 == 0 else "drop" for n in range(8) if n % 3 < 2}
    noted = read(tmp_path, wide("task,ann,bob,cy,note", ",dark", ",", ",nice hat"))
    assert rows(noted) == plain
    assert noted.notes[-1] == "not read as votes: note (other labels)."
    assert rows(read(tmp_path, wide("task,ann,bob,cy,dan", ","))) == plain
    indexed = "".join(f"{n - 1 if n else ''},{row}\n" for n, row in enumerate(wide("task,ann,bob,cy").splitlines()))
    assert rows(read(tmp_path, indexed)) == plain
    unnamed = wide(",ann,bob,cy")
    assert rows(read(tmp_path, unnamed)) == plain


def test_an_assignment_that_was_rejected_is_no_vote_whatever_columns_are_named(tmp_path: Path) -> None:
    text = batch("Answer.kind", f"h1,a1,A1,Approved,{HIT}/1.jpg,keep", f"h1,a2,A2,Rejected,{HIT}/1.jpg,drop")
    source = read(tmp_path, text, columns={"task": "Input.url", "label": "Answer.kind"})
    assert rows(source) == [("A1", "https://example.org/1.jpg", "keep")]
    assert "1 row left out: rejected." in source.notes
    toloka = "INPUT:image\tOUTPUT:kind\tASSIGNMENT:worker_id\tASSIGNMENT:status\n"
    toloka += "1.jpg\tkeep\tann\tAPPROVED\n1.jpg\tdrop\tbob\tREJECTED\n"
    named = read(
        tmp_path, toloka, columns={"task": "INPUT:image", "worker": "ASSIGNMENT:worker_id", "label": "OUTPUT:kind"}
    )
    assert [worker for worker, _, _ in rows(named)] == ["ann"]


def test_a_hit_that_was_published_again_is_the_same_task(tmp_path: Path) -> None:
    lines = [
        f"{batch_name}{n},{batch_name}{n}{who},{who},Approved,{HIT}/{n}.jpg,keep"
        for batch_name, crowd in (("first", "AB"), ("second", "CD"))
        for n in range(3)
        for who in crowd
    ]
    source = read(tmp_path, batch("Answer.kind", *lines))
    assert source.votes.n_tasks == 3
    assert "6 HITs are 3 tasks, by Input.url: some were published more than once." in source.notes
    setting = read(
        tmp_path,
        batch(
            "Answer.kind", *(line.replace("/1.jpg", "").replace("/2.jpg", "").replace("/0.jpg", "") for line in lines)
        ),
    )
    assert setting.votes.n_tasks == 6, "one and the same for every HIT says nothing of what is asked about"
    assert any("Input.url does not say what it is about" in note for note in setting.notes)


def test_the_remedy_for_three_columns_takes_the_cells_for_what_they_are(tmp_path: Path) -> None:
    votes = [(f"t{n % 9}", f"p{n // 9}", "keep" if n % 2 else "drop") for n in range(45)]
    text = "".join(",".join(row) + "\n" for row in votes)
    assert rows(read(tmp_path, "task,performer,label\n" + text)) == [(p, t, label) for t, p, label in votes]
    with pytest.raises(VotesError, match="--worker-column who --task-column what --label-column said"):
        read(tmp_path, "what,who,said\n" + text)
    with pytest.raises(VotesError, match="--worker-column who --task-column task --label-column label"):
        read(tmp_path, "task,who,label\n" + text)


EXPECTED = [
    ("ann", "f1", "keep"),
    ("bob", "f1", "keep"),
    ("cy", "f1", "reject"),
    ("ann", "f2", "reject"),
    ("bob", "f2", "reject"),
]


def excel(path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for line in PLAIN.splitlines():
        book.active.append(line.split(","))
    book.create_sheet("notes")
    book.save(path)


WRITERS: dict[str, Callable[[Path], object]] = {
    "votes.xlsx": excel,
    "votes.parquet": lambda path: pd.read_csv(io.StringIO(PLAIN)).to_parquet(path),
    "votes.csv.gz": lambda path: path.write_bytes(gzip.compress(PLAIN.encode())),
    "votes.jsonl": lambda path: path.write_text(pd.read_csv(io.StringIO(PLAIN)).to_json(orient="records", lines=True)),
    "votes.json": lambda path: path.write_text(pd.read_csv(io.StringIO(PLAIN)).to_json(orient="records")),
    "bar.csv": lambda path: path.write_text(PLAIN.replace(",", "|")),
    "header.csv": lambda path: path.write_text(PLAIN.replace("worker,task,label", "Annotator , Item ,ANSWER")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_votes_in_every_container(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert rows(read_votes(tmp_path / name)) == EXPECTED


def test_excel_without_its_reader_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    excel(tmp_path / "votes.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    require.cache_clear()
    with pytest.raises(MissingExtra, match=r"pip install 'galloway\[excel\]'"):
        read_votes(tmp_path / "votes.xlsx")


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(PLAIN))
    writer.start()
    assert rows(read_votes(pipe)) == EXPECTED
    writer.join()


def test_standard_input_to_standard_output() -> None:
    done = CliRunner().invoke(votes_command, ["aggregate", "-", "--out", "-", "--method", "majority"], input=PLAIN)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:2] == ["task,label,posterior,votes,status", "f1,keep,0.625,3,decided"]
    assert "2 tasks, 5 votes" in done.stderr


def test_windows_text_is_read_and_said(tmp_path: Path) -> None:
    source = read(tmp_path, "worker,task,label\nAndré,f1,keep\n".encode("cp1252"))
    assert rows(source) == [("André", "f1", "keep")]
    assert source.notes[0] == "read as Windows text (cp1252), for it is no UTF-8."


def test_a_cell_of_any_length_in_a_column_of_no_interest_is_no_matter(tmp_path: Path) -> None:
    source = read(tmp_path, f"worker,task,label,canvas\nann,f1,keep,{'x' * 300_000}\nbob,f1,keep,y\n")
    assert len(source.votes) == 2


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"[{]", "a.json", "cannot be read as JSON: line 1"),
        (b'{"a": 1}\n{"b"\n', "a.jsonl", "JSON lines: line 2"),
        (b'[{"x": {"y": 1}}]', "a.json", "of no known kind"),
        (b"<a><b></a>", "a.xml", "cannot be read as XML"),
        (b"<annotations/>", "a.xml", "export of CVAT"),
        (b"PK\x03\x04 broken", "a.xlsx", "cannot be read as an Excel file"),
        (b"PAR1 broken", "a.parquet", "cannot be read as Parquet"),
        (b"\xd0\xcf\x11\xe0", "a.xls", "before 2007"),
        (b"\x1f\x8b\x08 broken", "a.csv.gz", "packed by gzip and broken"),
        (b"a,b\0c", "a.csv", "is no text"),
    ],
)
def test_a_file_that_is_broken_or_of_another_kind_is_named(
    tmp_path: Path, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(VotesError, match=message):
        read(tmp_path, content, name)


def test_gold_is_read_from_the_same_containers_and_what_is_blank_is_said(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text(as_lines({"task": "f1", "label": "keep"}, {"task": "f2", "label": None}))
    known = read_known(path)
    assert known.labels == {"f1": "keep"}
    assert known.notes == ("1 row left out: no task or no label (first in record 2).",)
    (tmp_path / "blank.csv").write_text("task,label\nf1,\n,keep\n")
    assert read_known(tmp_path / "blank.csv").notes[-1] == "holds no known answer."


def test_gold_in_the_file_itself_is_kept(tmp_path: Path) -> None:
    source, out = tmp_path / "a.tsv", tmp_path / "decisions.csv"
    source.write_text(
        "INPUT:image\tOUTPUT:result\tGOLDEN:result\tASSIGNMENT:worker_id\n"
        "f0\tkeep\treject\tw0\nf0\tkeep\treject\tw1\nf1\treject\t\tw0\n"
    )
    done = CliRunner().invoke(votes_command, ["aggregate", str(source), "--out", str(out)])
    assert "known answers in the file itself are kept, of 1 task." in done.stderr
    assert "f0,reject,1.0,2,decided" in out.read_text()


def test_the_next_command_can_be_pasted(tmp_path: Path) -> None:
    source, out = tmp_path / "my votes.csv", tmp_path / "o.csv"
    source.write_text(PLAIN.replace("worker,task,label", "my worker,the task,a label"))
    with pytest.raises(
        VotesError, match="--worker-column 'my worker' --task-column 'the task' --label-column 'a label'"
    ):
        read_votes(source)
    named = ["--worker-column", "my worker", "--task-column", "the task", "--label-column", "a label"]
    done = CliRunner().invoke(votes_command, ["aggregate", str(source), "--out", str(out), *named, "--abstain", "cy's"])
    assert done.exit_code == 0, done.output
    assert f"Next: galloway votes report '{source}' --worker-column 'my worker'" in done.stdout
    assert """--abstain 'cy'"'"'s'""" in done.stdout
