"""A project's answers as votes, without a file between: what is true of each row, the report, and what to ask again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...curation.report import QuestionData, Report, build_tables, no_thumbnails
from ...curation.truth import aggregate, code_gold
from ...curation.truth.files import VotesFile, read_sheet
from ...curation.truth.formats.types import Sheet
from ...mturk.requester.workers import pseudonym
from ..app import App
from ..errors import NothingToDo
from ..market.pictures import hosting_secret
from ..market.session import MarketTerms
from .results import known_results
from .table import Table

if TYPE_CHECKING:
    from ...curation.truth import Truth

__all__ = ["RowVotes", "project_votes", "votes_report"]

_INPUT = "Input."
_TASK = f"{_INPUT}task"
_LONGEST = 80
_KEPT = ("AssignmentStatus", "SubmitTime", "WorkTimeInSeconds")


@dataclass(frozen=True, slots=True)
class RowVotes:
    """The votes on a project's rows; `rows` has the row behind the name of each task. Workers are pseudonyms.

    A row that was asked in two batches is one task.
    """

    source: VotesFile
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]]

    def truth(self, method: str = "auto") -> Truth:
        """What a method makes of them."""
        return aggregate(self.source.votes, method=method)

    def again(self, report: Report) -> Table:
        """The rows that are worth another vote, most to gain first, as a table to publish."""
        names = report.to_frames()["reask"]["face"]
        return Table(self.columns, tuple(self.rows[str(name).partition("#")[0]] for name in dict.fromkeys(names)))


def project_votes(
    app: App,
    terms: MarketTerms,
    name: str,
    columns: Mapping[str, str] | None = None,
    *,
    exact: bool = False,
    abstain: Sequence[str] = (),
) -> RowVotes:
    """The votes in the answers that were fetched. `columns` may name the question (its role is `label`).

    Raises NothingToDo where nothing was fetched yet, VotesError where answers ask several things and none is named.
    """
    results = known_results(app, terms, name)
    if not results.rows:
        raise NothingToDo(f"No answer to {name} was fetched yet. First: galloway project results {name}")
    cells = tuple(column for column in results.columns if column.startswith(_INPUT))
    used = [f"{_INPUT}{variable}" for variable in results.variables]
    asked = list(dict.fromkeys(tuple(row.get(cell, "") for cell in cells) for row in results.rows))
    names = _names(asked, [cells.index(cell) for cell in used if cell in cells])
    secret = hosting_secret(app.workspace.root)
    answers = [column for column in results.columns if column.startswith("Answer.")]
    header = ("HITId", "WorkerId", _TASK, *_KEPT, *answers)

    def rows() -> Iterator[tuple[int, list[str]]]:
        for number, row in enumerate(results.rows, 1):
            task = names[tuple(row.get(cell, "") for cell in cells)]
            said = [row.get(column, "") for column in (*_KEPT, *answers)]
            yield number, [task, pseudonym(row["WorkerId"], secret), task, *said]

    sheet = Sheet(f"The answers to {name}", header, rows, unit="answer")
    found = read_sheet(sheet, columns, exact=exact, abstain=abstain)
    rows_by_name = {names[row]: row for row in asked}
    return RowVotes(found, tuple(cell.removeprefix(_INPUT) for cell in cells), rows_by_name)


def _names(rows: Sequence[tuple[str, ...]], used: Sequence[int]) -> dict[tuple[str, ...], str]:
    """What each row is called: by the first column of the page that tells them all apart, else by its number."""
    for place in used:
        cells = [row[place] for row in rows]
        if all(0 < len(cell) <= _LONGEST and "#" not in cell for cell in cells) and len(set(cells)) == len(cells):
            return dict(zip(rows, cells, strict=True))
    return {row: f"row {number}" for number, row in enumerate(rows, 1)}


def votes_report(votes: RowVotes, heading: str, truth: Truth | None = None) -> Report:
    """The agreement report: who agrees, who stands out, what is in doubt and worth another vote. `truth` is what was
    made of the votes, where that was done before."""
    truth = truth or votes.truth()
    data = QuestionData.from_truth(
        "label",
        truth,
        code_gold(truth.votes, {}),
        seconds=votes.source.seconds,
        submitted=votes.source.submitted,
    )
    return build_tables(heading, [data], datetime.now(UTC), thumbnails=no_thumbnails)
