"""`galloway votes`: truth and agreement for any worker,task,label table, without the rest of Galloway."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...curation.report import Report
    from ...curation.truth import Truth
    from ...curation.truth.files import VotesFile
    from ...curation.types import FaceId

from ..wording import counted, noun
from .console import emit, emit_page, open_app, together

__all__ = ["votes"]

_METHODS = ("auto", "majority", "one-coin", "dawid-skene")
_IN = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
_STANDARD = Path("-")
_PROJECT = "project:"
_FEW_KNOWN = 20
"""Of fewer known answers a share right says nothing of the other tasks (as for calibration, docs/truth.md)."""


@click.group()
def votes() -> None:
    """Aggregate and report any worker,task,label table.

    \b
    galloway votes aggregate votes.csv --out decisions.csv
    galloway votes report votes.csv --out report.html
    """


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked of both commands."""

    votes_file: Path
    gold_file: Path | None
    method: str
    worker_column: str | None
    task_column: str | None
    label_column: str | None
    abstain: tuple[str, ...]
    exact_labels: bool

    @property
    def columns(self) -> dict[str, str]:
        """Role → the column that was named for it."""
        named = {"worker": self.worker_column, "task": self.task_column, "label": self.label_column}
        return {role: name for role, name in named.items() if name is not None}

    def options(self) -> list[str]:
        """The same wish on the next command line; what it decides on is said again, gold too."""
        words = [word for role, name in self.columns.items() for word in (f"--{role}-column", name)]
        words += [word for label in self.abstain for word in ("--abstain", label)]
        words += ["--exact-labels"] if self.exact_labels else []
        words += ["--gold", str(self.gold_file)] if self.gold_file else []
        return words + (["--method", self.method] if self.method != "auto" else [])


_source = together(
    click.argument("votes_file", metavar="VOTES", type=_IN),
    click.option("--gold", "gold_file", type=_IN, help="Known truth, columns task,label; never contradicted."),
    click.option("--method", type=click.Choice(_METHODS), default="auto", show_default=True),
    click.option("--worker-column", help="The column that names the voter, where the header does not say."),
    click.option("--task-column", help="The column that names the task, where the header does not say."),
    click.option("--label-column", help="The column with the label, or the one question of several."),
    click.option(
        "--abstain",
        multiple=True,
        metavar="LABEL",
        help="A label that says “I cannot tell”: it counts for no answer. Can be given several times.",
    ),
    click.option("--exact-labels", is_flag=True, help="Do not join labels that differ in spelling only."),
)


@votes.command()
@_source
@click.option("--out", type=_IN, required=True, help="Where to write task,label,posterior,votes,status; - for stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def aggregate(out: Path, as_json: bool, **asked: Any) -> None:
    """Turn votes into one decision per task.

    \b
    VOTES is a table of worker,task,label (CSV, Excel, Parquet, JSON lines;
    packed by gzip or not; - for a pipe), or the results of Mechanical Turk,
    CrowdFlower, Toloka, Label Studio, SageMaker, Prodigy, Doccano, Labelbox,
    Argilla, CVAT or Zooniverse; or project:NAME, the fetched answers to a
    project of this workspace. Any set of labels will do.
    status is decided, disputed (voters contradict each other) or undecided
    (too few votes); a tie has no label.

    \b
    galloway votes aggregate votes.csv --out decisions.csv --gold gold.csv
    galloway votes aggregate results.csv --out decisions.csv --abstain unsure
    """
    from ...curation.truth.files import decisions_text, write_decisions

    wish = _Wish(**asked)
    _prepare(out, wish.votes_file, wish.gold_file)
    source, truth, gold = _infer(wish)
    if out == _STANDARD:
        emit_page(decisions_text(truth))
    else:
        write_decisions(out, truth)
    summary = _summary(truth, source, gold, out)
    talk = out == _STANDARD
    if as_json:
        emit_page(json.dumps(summary, indent=1), err=talk)
        return
    counts = (f"{summary[name]} {name if summary[name] != 1 else name[:-1]}" for name in ("tasks", "votes", "workers"))
    emit("{}, {} by {}, method {}".format(*counts, truth.method), err=talk)
    for line in _amounts(summary):
        emit(line, err=talk)
    if not talk:
        following = join(["galloway", "votes", "report", str(wish.votes_file), *wish.options(), "--out", "report.html"])
        emit(f"Wrote {out}. Next: {following}")


@votes.command()
@_source
@click.option("--out", type=_IN, required=True, help="Where to write the report (one HTML file).")
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A folder with a picture per task, named as the task (with or without .jpg, .jpeg, .png).",
)
@click.option("--title", help="The report's heading; default: the file's name.")
@click.option(
    "--tables",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write workers, tasks, votes, flags and pairs as CSV files into this folder.",
)
@click.option("--reask", "reask_file", type=_IN, help="Also write the tasks worth another vote, most to gain first.")
@click.option("--parquet", is_flag=True, help="Write the tables as Parquet instead of CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of text.")
def report(
    out: Path,
    pictures: Path | None,
    title: str | None,
    tables: Path | None,
    reask_file: Path | None,
    parquet: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Write the agreement report: who agrees, who stands out, what is in doubt.

    \b
    galloway votes report votes.csv --out report.html --pictures faces/
    galloway votes report votes.csv --out report.html --tables figures/
    """
    from ...curation.files import write_atomic
    from ...curation.report import QuestionData, build_tables, no_thumbnails
    from ...extras import require

    wish = _Wish(**asked)
    if parquet:
        require("pyarrow")
    for written in (out, reask_file or out):
        _prepare(written, wish.votes_file, wish.gold_file)
    source, truth, gold = _infer(wish)
    table = QuestionData.from_truth("label", truth, gold, seconds=source.seconds, submitted=source.submitted)
    thumbnails = _thumbnails(pictures) if pictures else no_thumbnails
    heading = title or f"Agreement report: {'votes' if wish.votes_file == _STANDARD else wish.votes_file.stem}"
    built = build_tables(heading, [table], datetime.now(UTC), thumbnails=thumbnails)
    write_atomic(out, built.to_html().encode(), durable=False)
    if tables is not None:
        _write_tables(built, tables, parquet=parquet)
    if reask_file is not None:
        _write_reask(built, reask_file)
    emit_page(built.to_json() if as_json else built.to_text())
    emit(f"Wrote {out}; open it in a browser.", err=True)


def _prepare(out: Path, *sources: Path | None) -> None:
    """Make the folder of `out`; raise VotesError where it would overwrite what is read."""
    from ...curation.errors import VotesError

    if out == _STANDARD:
        return
    for source in sources:
        if source is not None and out.exists() and source.exists() and out.samefile(source):
            raise VotesError(f"--out {out} is the file that is read; name another one, nothing was written.")
    out.parent.mkdir(parents=True, exist_ok=True)


def _infer(wish: _Wish) -> tuple[VotesFile, Truth, Any]:
    """Read, aggregate and say on stderr what was left out."""
    from ...curation.truth import aggregate as infer
    from ...curation.truth import code_gold
    from ...curation.truth.files import read_known

    source = _cast(wish)
    for note in source.notes:
        emit(f"{wish.votes_file}: {note}", err=True)
    known = read_known(wish.gold_file) if wish.gold_file else None
    for note in known.notes if known else ():
        emit(f"{wish.gold_file}: {note}", err=True)
    ours = _known_here(source, {} if known is None else known.labels, wish)
    unsaid = Counter(label for label in ours.values() if label not in source.votes.label_names)
    for label, count in sorted(unsaid.items()):
        said = f"{label!r} is known of {counted(count, 'task')}"
        emit(f"{wish.gold_file or wish.votes_file}: {said}, but no vote says so; is it spelt as there?", err=True)
    source = replace(source, votes=source.votes.with_labels(unsaid))
    return source, infer(source.votes, method=wish.method, gold=ours), code_gold(source.votes, ours)


def _cast(wish: _Wish) -> VotesFile:
    """The votes of a file, or of a project of the workspace."""
    name = str(wish.votes_file).removeprefix(_PROJECT)
    if name == str(wish.votes_file):
        from ...curation.truth.files import read_votes

        return read_votes(wish.votes_file, wish.columns, exact=wish.exact_labels, abstain=wish.abstain)
    from ..projects.votes import project_votes

    app = open_app(click.get_current_context())
    return project_votes(app, app.terms(), name, wish.columns, exact=wish.exact_labels, abstain=wish.abstain).source


def _known_here(source: VotesFile, given: Mapping[str, str], wish: _Wish) -> dict[str, str]:
    """Known answers to tasks in the file: those it marks itself, and over them those of --gold, spelt as the votes."""
    from ...curation.truth.spelling import is_missing

    here = set(source.votes.task_names)
    marked = {task: label for task, label in source.gold.items() if task in here}
    if marked:
        emit(
            f"{wish.votes_file}: known answers in the file itself are kept, of {counted(len(marked), 'task')}.",
            err=True,
        )
    ours = {task: source.spelling.of(label) for task, label in given.items() if task in here}
    if given and not ours:
        emit(f"{wish.gold_file}: none of its {len(given)} tasks is in {wish.votes_file}.", err=True)
    elif len(ours) < len(given):
        others = f"{len(given) - len(ours)} of its {counted(len(given), 'task')}"
        first = next(task for task in given if task not in here)
        emit(f"{wish.gold_file}: {others} not used: no vote is on them (first: {first}).", err=True)
    none = [task for task, label in ours.items() if is_missing(label, True) and label not in source.votes.label_names]
    if none:
        emit(
            f"{wish.gold_file}: {counted(len(none), 'row')} left out: the label says that there is none "
            f"({', '.join(sorted({ours[task] for task in none}))}).",
            err=True,
        )
    ours = {task: label for task, label in ours.items() if task not in none}
    return {task: label for task, label in (marked | ours).items() if label not in source.abstentions}


def _write_tables(built: Report, folder: Path, *, parquet: bool) -> None:
    from ...curation.files import write_atomic
    from ...curation.spreadsheet import csv_text

    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in built.to_frames().items():
        if parquet:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            write_atomic(folder / f"{name}.csv", csv_text(frame).encode(), durable=False)


def _write_reask(built: Report, path: Path) -> None:
    from ...curation.files import write_atomic
    from ...curation.spreadsheet import csv_text

    frame = built.to_frames()["reask"].rename(columns={"face": "task"})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, csv_text(frame).encode(), durable=False)
    emit(f"Wrote {path}: {len(frame)} tasks worth another vote.", err=True)


def _summary(truth: Truth, source: VotesFile, gold: NDArray[np.int32], out: Path) -> dict[str, Any]:
    from ...curation.truth import aggregate as infer

    status = truth.status.tolist()
    known, error = gold >= 0, truth.expected_error_of(gold < 0)
    blind = infer(truth.votes, method=truth.method).label if known.any() else truth.label
    return {
        "tasks": truth.votes.n_tasks,
        "votes": len(truth.votes),
        "workers": truth.votes.n_workers,
        "method": truth.method,
        **{word: status.count(word) for word in ("decided", "disputed", "undecided")},
        "error_if_independent": None if error != error or truth.votes.n_labels < 2 else error,
        "known": int(known.sum()),
        "known_right_without_gold": int((blind[known] == gold[known]).sum()),
        "left_out": list(source.notes),
        "out": str(out),
    }


def _known(known: int, right: int) -> str:
    """How the votes alone do where the answer is known; a few tasks tell nothing of the others."""
    kept = f"{counted(known, 'known answer')} {noun(known, 'is', 'are')} kept"
    if known < _FEW_KNOWN:
        return f"{kept}; without, {right} of {known} would have been decided right: too few to tell of the others"
    share = f"{right / known:.1%} of these tasks would have been decided right"
    return f"{kept}; without them {share}, and so about as many of the others"


def _amounts(summary: dict[str, Any]) -> list[str]:
    """How many tasks are what, and what is known of their errors: from known answers, or on a condition, or nothing."""
    text = f"decided {summary['decided']}, disputed {summary['disputed']}, undecided {summary['undecided']}"
    if summary["known"]:
        return [text, _known(summary["known"], summary["known_right_without_gold"])]
    if summary["error_if_independent"] is None:
        return [f"{text}; nothing here shows how many are wrong"]
    shown = (
        f"nothing here shows how many are wrong (known answers would: --gold); if voters err independently, "
        f"{summary['error_if_independent']:.1%} of the decided"
    )
    return [text, shown]


def _thumbnails(folder: Path) -> Callable[[FaceId], bytes | None]:
    """Small JPEGs of the pictures in `folder`; a task whose name would leave the folder has none, and so has one whose
    picture cannot be read, which is said."""
    root = folder.resolve()

    def thumbnail(face: FaceId) -> bytes | None:
        from ...curation.errors import FacesetError
        from ...curation.files import PICTURE_SUFFIXES
        from ...curation.pictures import open_picture

        for suffix in ("", *sorted(PICTURE_SUFFIXES)):
            path = (root / f"{face}{suffix}").resolve()
            if path.is_file() and path.is_relative_to(root):
                try:
                    small = open_picture(path, name=path.name, shrink=(96, 96), remedy="It is left out.")
                except FacesetError as error:
                    emit(str(error), err=True)
                    return None
                small.thumbnail((96, 96), reducing_gap=2)
                buffer = io.BytesIO()
                small.save(buffer, "JPEG", quality=78)
                return buffer.getvalue()
        return None

    return thumbnail
