"""`galloway`: finds the command's module only when it is called, so that `--help` stays fast."""

from __future__ import annotations

import os
import sys

import click

from ..wording import one_line
from .console import emit, emit_page, log_in_lines
from .lazy import CommandTable, LazyGroup

__all__ = ["COMMANDS", "cli", "main"]

# The order is the order of the flow.
COMMANDS: CommandTable = {
    "init": ("workspace:init", "Make a workspace here."),
    "ingest": ("workspace:ingest", "Add a video, photos or faces to side A or B."),
    "source": ("source:source", "The footage that came in; taking some of it out."),
    "person": ("person:person", "The people in the footage; erasing one of them."),
    "extract": ("flow:extract", "Find faces in the ingested footage."),
    "screen": ("screen:screen", "Rank faces before asking: sharpness, duplicates, identity."),
    "gate": ("gate:gate", "Pictures that are held back from workers; what becomes of them."),
    "publish": ("flow:publish", "Publish HITs for the faces that need an answer."),
    "collect": ("flow:collect", "Fetch answers, turn them into votes and decisions, settle pay."),
    "batch": ("batch:batch", "Batches after publishing: progress, pay by hand, taking one back."),
    "worker": ("worker:worker", "Who works for you: pay, look at, stop asking; no more pages, and in again."),
    "report": ("flow:report", "Write the agreement report."),
    "decide": ("flow:decide", "Overrule the crowd on a face, by name and with a reason."),
    "decisions": ("decisions:decisions", "What people decided, a step a line; taking one back."),
    "merge": ("merge:merge", "Apply the decisions to folder and alignments; `undo` takes it back."),
    "privacy": ("privacy:privacy", "What of people goes when: rejected faces, embeddings."),
    "paint": ("paint:paint", "People paint over what covers faces of side A, for training."),
    "train": ("train:train", "Train on the approved facesets."),
    "bundle": ("bundle:bundle", "A training packed for a notebook or a scheduler, run there, brought home."),
    "glimpse": ("glimpse:glimpse", "Swap a second with the model's last save, also while it trains."),
    "convert": ("train:convert", "Swap the faces in side A's video."),
    "verify": ("verify:verify", "What a film says of itself, and whether that holds."),
    "review-swap": ("review_swap:review_swap", "People say where a converted film holds."),
    "results": ("results:results", "Measure a converted film."),
    "status": ("workspace:status", "Say where the work stands and what comes next."),
    "review": ("review:review", "Clean alone: answer the same pages yourself, without market and pay."),
    "serve": ("serve:serve", "Work in a browser: publish, collect, disputes, merge, results."),
    "studio": ("serve:studio", "Begin in a browser: projects, new ones, everything from footage to the film."),
    "team": ("team:team", "Who may sign in at `serve`: look, decide, spend, own."),
    "market": ("market.group:market", "Run the embedded marketplace, its requesters and workers."),
    "recruit": ("recruit.group:recruit", "People from a panel: Prolific, or signed links for Connect, SONA, a class."),
    "project": ("project.group:project", "Any labelling: a page and a spreadsheet become HITs, answers become a CSV."),
    "faceset": ("faceset.group:faceset", "Inspect, verify, convert and compare facesets and alignments."),
    "votes": ("votes:votes", "Aggregate and report any worker,task,label table."),
    "faceswap": ("faceswap:faceswap", "Translate old faceswap command lines into today's."),
    "video": ("video:video", "Check a video for what breaks face swaps, and mend it."),
    "workspace": ("moving:workspace", "Where the workspace's rows are; moving them to PostgreSQL and back."),
    "bucket": ("bucket:bucket", "The workspace's faces in an S3 bucket."),
    "backup": ("backup:backup", "Write the workspace into one file while people work."),
    "restore": ("backup:restore", "Bring a backup back."),
    "claim": ("claim:claim", "Say what a copied or moved workspace is."),
    "trust": ("trust:trust", "Allow the programs that a workspace names."),
    "doctor": ("workspace:doctor", "Check this machine: engines, tools, market, workspace."),
    "demo": ("demo:demo", "Run the whole job on footage made from public-domain photographs."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    heading="Commands, in the order of the work",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="galloway")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(file_okay=False),
    envvar="GALLOWAY_WORKSPACE",
    help="The workspace folder; default: the one that holds the current folder.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0, 86_400),
    default=0,
    envvar="GALLOWAY_WAIT",
    metavar="SECONDS",
    help="Wait so long for another command that is at work in the workspace; default: not at all.",
)
@click.pass_context
def cli(ctx: click.Context, workspace: str | None, wait: float) -> None:
    """Clean facesets together and swap a face in a video.

    \b
    Try it:  galloway demo
    Use it:  galloway init my-swap && cd my-swap && galloway ingest --side a clip.mp4
    """
    ctx.ensure_object(dict).update(workspace=workspace, wait=wait)


def main(args: list[str] | None = None) -> None:
    """Run the command line; the one place where errors become exit codes.

    0 done, 1 failed, 2 usage, 3 nothing to do, 4 budget or safety stop, 5 another command is at work (--wait),
    130 interrupted.
    """
    log_in_lines(os.environ.get("GALLOWAY_LOG", ""))
    try:
        code = cli.main(args=args, prog_name="galloway", standalone_mode=False)
    except click.ClickException as wrong:
        _show(wrong)
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        emit("Interrupted. Run the same command again to go on.", err=True)
        sys.exit(130)
    except Exception as error:
        from .failures import NOTHING_TO_DO, exit_code, told

        code = exit_code(error)
        if code is None:
            raise
        emit_page(told(error) if code == NOTHING_TO_DO else f"Error: {told(error)}", err=True)
        sys.exit(code)
    # What a command ends with by `ctx.exit` is returned here, where click does not exit itself.
    if code:
        sys.exit(code)


def _show(wrong: click.ClickException) -> None:
    """As click says it, but a name out of a pattern of the shell (`*.mp4`) moves no cursor and forges no line."""
    said = one_line(wrong.format_message())
    shown = click.UsageError(said, wrong.ctx) if isinstance(wrong, click.UsageError) else click.ClickException(said)
    shown.show()


if __name__ == "__main__":
    main()
