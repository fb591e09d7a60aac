"""`galloway`: finds the command's module only when it is called, so that `--help` stays fast."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

__all__ = ["COMMANDS", "LazyGroup", "cli", "main"]

# name -> (module:attribute, one-line help); the order is the order of the flow.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("pipeline.cli.workspace:init", "Make a workspace here."),
    "ingest": ("pipeline.cli.workspace:ingest", "Add a video, photos or faces to side A or B."),
    "source": ("pipeline.cli.source:source", "The footage that came in; taking some of it out."),
    "extract": ("pipeline.cli.flow:extract", "Find faces in the ingested footage."),
    "screen": ("pipeline.cli.screen:screen", "Rank faces before asking: sharpness, duplicates, identity."),
    "publish": ("pipeline.cli.flow:publish", "Publish HITs for the faces that need an answer."),
    "collect": ("pipeline.cli.flow:collect", "Fetch answers, turn them into votes and decisions, settle pay."),
    "batch": ("pipeline.cli.batch:batch", "Batches after publishing: progress, pay by hand, taking one back."),
    "report": ("pipeline.cli.flow:report", "Write the agreement report."),
    "decide": ("pipeline.cli.flow:decide", "Overrule the crowd on a face, by name and with a reason."),
    "merge": ("pipeline.cli.merge:merge", "Apply the decisions to folder and alignments; `undo` takes it back."),
    "train": ("pipeline.cli.train:train", "Train on the approved facesets."),
    "convert": ("pipeline.cli.train:convert", "Swap the faces in side A's video."),
    "status": ("pipeline.cli.workspace:status", "Say where the work stands and what comes next."),
    "serve": ("pipeline.cli.serve:serve", "Work in a browser: publish, collect, disputes, merge, results."),
    "market": ("pipeline.cli.market:market", "Run the embedded marketplace, its requesters and workers."),
    "faceset": ("pipeline.cli.faceset.group:faceset", "Inspect, verify, convert and compare facesets and alignments."),
    "votes": ("pipeline.cli.votes:votes", "Aggregate and report any worker,task,label table."),
    "faceswap": ("pipeline.cli.faceswap:faceswap", "Translate old faceswap command lines into today's."),
    "video": ("pipeline.cli.video:video", "Check a video for what breaks face swaps, and mend it."),
    "doctor": ("pipeline.cli.workspace:doctor", "Check this machine: engines, tools, market, workspace."),
    "demo": ("pipeline.cli.demo:demo", "Run the whole job on footage made from public-domain photographs."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands, in the order of the work"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="galloway")
@click.option(
    "-w",
    "--workspace",
    type=click.Path(file_okay=False),
    envvar="GALLOWAY_WORKSPACE",
    help="The workspace folder; default: the one that holds the current folder.",
)
@click.pass_context
def cli(ctx: click.Context, workspace: str | None) -> None:
    """Clean facesets together and swap a face in a video.

    \b
    Try it:  galloway demo
    Use it:  galloway init my-swap && cd my-swap && galloway ingest --side a clip.mp4
    """
    ctx.ensure_object(dict)["workspace"] = workspace


def main(args: list[str] | None = None) -> Any:
    """Run the command line; the one place where errors become exit codes.

    0 done, 1 failed, 2 usage, 3 nothing to do, 4 budget or safety stop, 130 interrupted.
    """
    try:
        return cli.main(args=args, prog_name="galloway", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Run the same command again to go on.", err=True)
        sys.exit(130)
    except Exception as error:
        from pipeline.cli.failures import NOTHING_TO_DO, exit_code

        code = exit_code(error)
        if code is None:
            raise
        click.echo(str(error) if code == NOTHING_TO_DO else f"Error: {error}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
