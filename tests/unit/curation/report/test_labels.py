"""What the report says of labels: tables of a few, lists of many."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from galloway.curation.report import QuestionData
from galloway.curation.report.catalog import Catalog, InlinePictures
from galloway.curation.report.figures import QuestionFigures, question_figures
from galloway.curation.truth import VotesTable, aggregate
from galloway.pipeline.cli.votes import votes as votes_command


@pytest.fixture
def crowd() -> QuestionFigures:
    truth = aggregate(VotesTable.from_rows(rows_of(3)), method="majority")
    return question_figures(QuestionData.from_truth("label", truth, np.full(9, -1, dtype=np.int32)))


class Words(HTMLParser):
    """The text of a page, cell by cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("td", "th", "tr", "li", "p", "section"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def rows_of(labels: int) -> list[tuple[str, str, str]]:
    """Three tasks of each label, four voters who agree; `odd` answers with the next label on the first task of each."""
    rows = []
    for label in range(labels):
        for place in range(3):
            task = f"t{label}-{place}"
            rows += [(worker, task, f"kind {label:02}") for worker in ("ann", "bob", "cy", "dee")]
            said = (label + 1) % labels if place == 0 else label
            rows.append(("odd", task, f"kind {said:02}"))
    return rows


def reported(folder: Path, labels: int) -> tuple[str, dict[str, Any], Path]:
    path = folder / "votes.csv"
    path.write_text("worker,task,label\n" + "".join(",".join(row) + "\n" for row in rows_of(labels)))
    page, tables = folder / "report.html", folder / "tables"
    done = CliRunner().invoke(
        votes_command, ["report", str(path), "--out", str(page), "--tables", str(tables), "--json"]
    )
    assert done.exit_code == 0, done.output
    return page.read_text(), json.loads(done.stdout), tables


def worker_cells(html: str, name: str) -> list[str]:
    start = html.index(f'aria-label="Worker {name}"')
    return [" ".join(cell.split()) for cell in Words("<section " + html[start : html.index("</section>", start)]).cells]


def test_a_few_labels_are_a_table_with_intervals(tmp_path: Path) -> None:
    html, figures, tables = reported(tmp_path, 3)
    cells = worker_cells(html, "odd")
    first = cells.index("kind 00")
    assert [cell.split()[0] for cell in cells[first + 1 : first + 4]] == ["2", "1", "0"]
    assert all(re.fullmatch(r"\d \d+% \(\d+%–\d+%\)", cell) for cell in cells[first + 1 : first + 4])
    [odd] = [one for one in figures["questions"][0]["workers"] if one["worker"] == "odd"]
    [slip] = [one for one in odd["confusion"] if (one["truth"], one["answered"]) == ("kind 02", "kind 00")]
    assert slip["count"] == 1
    assert slip["low"] < slip["rate"] < slip["high"]
    assert sum(one["count"] for one in odd["confusion"]) == 9
    frame = pd.read_csv(tables / "workers.csv", index_col="worker")
    assert frame.loc["odd", "kind 01 answered kind 02"] == 1
    assert frame.loc["ann", "kind 01 answered kind 02"] == 0


@pytest.mark.parametrize("labels", [14, 40])
def test_of_many_labels_the_mistakes_are_listed(tmp_path: Path, labels: int) -> None:
    html, figures, tables = reported(tmp_path, labels)
    cells = worker_cells(html, "odd")
    assert f"As gold or the others say on {2 * labels} of {3 * labels}" in " ".join(cells)
    first = cells.index("Gold or the others")
    assert cells[first + 5 : first + 9] == ["kind 00", "kind 01", "1", "33% (7%–81%)"]
    listed = sum(cell.startswith("33%") for cell in cells)
    assert listed == min(labels, 20)
    assert (f"And {labels - 20} other pairs of labels" in " ".join(cells)) == (labels > 20)
    assert f"As gold or the others say on {3 * labels} of {3 * labels}" in " ".join(worker_cells(html, "ann"))
    [odd] = [one for one in figures["questions"][0]["workers"] if one["worker"] == "odd"]
    assert len(odd["confusion"]) == 2 * labels
    assert len(figures["questions"][0]["labels"]) == labels
    assert not [name for name in pd.read_csv(tables / "workers.csv").columns if "answered" in name]
    assert f"decided: {labels - 3} other labels {3 * (labels - 3)}" in " ".join(" ".join(Words(html).cells).split())
    assert f"{labels - 12} other labels" in html
    assert len(html) < 1_500_000


def test_three_who_name_three_labels_are_more_often_wrong_than_right(tmp_path: Path) -> None:
    rows = [(f"w{who}", f"t{task}", f"kind {(who + task) % 3}") for task in range(30) for who in range(3)]
    path = tmp_path / "votes.csv"
    path.write_text("worker,task,label\n" + "".join(",".join(row) + "\n" for row in rows))
    done = CliRunner().invoke(
        votes_command, ["report", str(path), "--out", str(tmp_path / "report.html"), "--method", "majority", "--json"]
    )
    figures = json.loads(done.stdout)["questions"][0]
    assert figures["error_if_independent"] == pytest.approx(2 / 3)
    assert figures["error_if_independent_after_another_vote"] == pytest.approx(
        1 / 4
    )  # by a worker right three times of four


def test_a_list_names_the_tasks_that_have_no_page(crowd: QuestionFigures) -> None:
    catalog = Catalog([crowd], InlinePictures(lambda _face: None), str, most_faces=3, most_listed=5)
    anchor = catalog.anchor("all", 0, np.arange(7))
    assert anchor == "#list-0"
    faces, others = catalog.drawn(catalog.lists[0])
    assert [f'href="#face-{number}"' in face for number, face in enumerate(faces)] == [True] * 3
    assert others == list(crowd.data.votes.task_names[3:5])
    assert catalog.drawn(catalog.lists[0]) == (faces, others), "drawing opens no further pages"
