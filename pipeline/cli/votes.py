"""`galloway votes`: truth and agreement for any worker,task,label table, without the rest of Galloway."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...curation.report import Report
    from ...curation.truth import Truth
    from ...curation.truth.files import VotesFile
    from ...curation.types import FaceId

__all__ = ["votes"]

_METHODS = ("auto", "majority", "one-coin", "dawid-skene")
_IN = click.Path(dir_okay=False, path_type=Path)


@click.group()
def votes() -> None:
    """Aggregate and report any worker,task,label table.

    \b
    galloway votes aggregate votes.csv --out decisions.csv
    galloway votes report votes.csv --out report.html
    """


def _source(command: Callable[..., None]) -> Callable[..., None]:
    options = [
        click.argument("votes_file", metavar="VOTES.csv", type=_IN),
        click.option("--gold", "gold_file", type=_IN, help="Known truth, columns task,label; never contradicted."),
        click.option("--method", type=click.Choice(_METHODS), default="auto", show_default=True),
        click.option("--worker-column", default="worker", show_default=True, help="The column that names the voter."),
        click.option("--task-column", default="task", show_default=True, help="The column that names the task."),
        click.option("--label-column", default="label", show_default=True, help="The column with the label."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@votes.command()
@_source
@click.option("--out", type=_IN, required=True, help="Where to write task,label,posterior,votes,status.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def aggregate(votes_file: Path, gold_file: Path | None, method: str, out: Path, as_json: bool, **columns: str) -> None:
    """Turn votes into one decision per task.

    \b
    VOTES.csv needs the columns worker,task,label; any set of labels will do.
    status is decided, disputed (voters contradict each other) or undecided
    (too few votes); a tie has no label.

    \b
    galloway votes aggregate votes.csv --out decisions.csv --gold gold.csv
    """
    from ...curation.truth.files import write_decisions

    _prepare(out, votes_file, gold_file)
    source, truth, gold = _infer(votes_file, gold_file, method, columns)
    write_decisions(out, truth)
    summary = _summary(truth, source, gold, out)
    if as_json:
        click.echo(json.dumps(summary, indent=1))
        return
    counts = (f"{summary[name]} {name if summary[name] != 1 else name[:-1]}" for name in ("tasks", "votes", "workers"))
    click.echo("{}, {} by {}, method {}".format(*counts, method))
    click.echo(_amounts(summary))
    named = "".join(
        f" --{role.replace('_', '-')} {name}" for role, name in columns.items() if name != role.removesuffix("_column")
    )
    click.echo(f"Wrote {out}. Next: galloway votes report {votes_file}{named} --out report.html")


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
    votes_file: Path,
    gold_file: Path | None,
    method: str,
    out: Path,
    pictures: Path | None,
    title: str | None,
    tables: Path | None,
    reask_file: Path | None,
    parquet: bool,
    as_json: bool,
    **columns: str,
) -> None:
    """Write the agreement report: who agrees, who stands out, what is in doubt.

    \b
    galloway votes report votes.csv --out report.html --pictures faces/
    galloway votes report votes.csv --out report.html --tables figures/
    """
    from ...curation.files import write_atomic
    from ...curation.report import QuestionData, build_tables, no_thumbnails
    from ...extras import require

    if parquet:
        require("pyarrow")
    for written in (out, reask_file or out):
        _prepare(written, votes_file, gold_file)
    source, truth, gold = _infer(votes_file, gold_file, method, columns)
    table = QuestionData.from_truth("label", truth, gold, seconds=source.seconds, submitted=source.submitted)
    thumbnails = _thumbnails(pictures) if pictures else no_thumbnails
    heading = title or f"Agreement report: {votes_file.stem}"
    built = build_tables(heading, [table], datetime.now(UTC), thumbnails=thumbnails)
    write_atomic(out, built.to_html().encode(), durable=False)
    if tables is not None:
        _write_tables(built, tables, parquet=parquet)
    if reask_file is not None:
        _write_reask(built, reask_file)
    click.echo(built.to_json() if as_json else built.to_text(), nl=False)
    click.echo(f"Wrote {out}; open it in a browser.", err=True)


def _prepare(out: Path, *sources: Path | None) -> None:
    """Make the folder of `out`; raise VotesError where it would overwrite what is read."""
    from ...curation.errors import VotesError

    for source in sources:
        if source is not None and out.exists() and source.exists() and out.samefile(source):
            raise VotesError(f"--out {out} is the file that is read; name another one, nothing was written.")
    out.parent.mkdir(parents=True, exist_ok=True)


def _infer(
    votes_file: Path, gold_file: Path | None, method: str, columns: dict[str, str]
) -> tuple[VotesFile, Truth, Any]:
    """Read, aggregate and say on stderr what was left out."""
    from ...curation.truth import aggregate as infer
    from ...curation.truth import code_gold
    from ...curation.truth.files import read_gold, read_votes
    from ..wording import counted

    source = read_votes(votes_file, {role.removesuffix("_column"): name for role, name in columns.items()})
    for note in source.notes:
        click.echo(f"{votes_file}: {note}", err=True)
    gold = read_gold(gold_file) if gold_file else {}
    here = set(source.votes.task_names)
    ours = {task: label for task, label in gold.items() if task in here}
    if gold and not ours:
        click.echo(f"{gold_file}: none of its {len(gold)} tasks is in {votes_file}.", err=True)
    unsaid = Counter(label for label in ours.values() if label not in source.votes.label_names)
    for label, count in sorted(unsaid.items()):
        known = f"{label!r} is known of {counted(count, 'task')}"
        click.echo(f"{gold_file}: {known}, but no vote says so; is it spelt as there?", err=True)
    source = replace(source, votes=source.votes.with_labels(unsaid))
    return source, infer(source.votes, method=method, gold=ours), code_gold(source.votes, ours)


def _write_tables(built: Report, folder: Path, *, parquet: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in built.to_frames().items():
        if parquet:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            frame.to_csv(folder / f"{name}.csv", index=False)


def _write_reask(built: Report, path: Path) -> None:
    frame = built.to_frames()["reask"].rename(columns={"face": "task"})
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    click.echo(f"Wrote {path}: {len(frame)} tasks worth another vote.", err=True)


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
        "expected_error": None if error != error else error,
        "known": int(known.sum()),
        "known_right_without_gold": int((blind[known] == gold[known]).sum()),
        "left_out": list(source.notes),
        "out": str(out),
    }


def _amounts(summary: dict[str, Any]) -> str:
    """How many tasks are what; the expected error leaves out tasks whose answer is known, for they have none."""
    text = f"decided {summary['decided']}, disputed {summary['disputed']}, undecided {summary['undecided']}"
    other = "other " if summary["known"] else ""
    if summary["expected_error"] is not None:
        text += f"; expected error of the {other}decided {summary['expected_error']:.1%}"
    if summary["known"]:
        share = summary["known_right_without_gold"] / summary["known"]
        text += (
            f"\n{summary['known']} answers were known and are kept; without them {share:.1%} of these tasks would have "
            "been decided right"
        )
    return text


def _thumbnails(folder: Path) -> Callable[[FaceId], bytes | None]:
    """Small JPEGs of the pictures in `folder`; a task whose name would leave the folder has none, and so has one whose
    picture cannot be read, which is said."""
    root = folder.resolve()

    def thumbnail(face: FaceId) -> bytes | None:
        from ...curation.errors import FacesetError
        from ...curation.files import PICTURE_SUFFIXES
        from ...curation.pictures import open_picture

        for suffix in ("", *PICTURE_SUFFIXES):
            path = (root / f"{face}{suffix}").resolve()
            if path.is_file() and path.is_relative_to(root):
                try:
                    small = open_picture(path, name=path.name, shrink=(96, 96), remedy="It is left out.")
                except FacesetError as error:
                    click.echo(str(error), err=True)
                    return None
                small.thumbnail((96, 96), reducing_gap=2)
                buffer = io.BytesIO()
                small.save(buffer, "JPEG", quality=78)
                return buffer.getvalue()
        return None

    return thumbnail
