"""Every `galloway …` that a message, a docstring or a page names is a command, and the options it names are its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import galloway.pipeline
import pytest
from galloway.pipeline.cli.main import cli

ROOT = Path(galloway.pipeline.__file__).parents[1]
ROOMS = ("pipeline", "curation", "mturk")
NAMED = re.compile(r"(?<![\w/.-])galloway((?: +[a-z][a-z-]*| +--[a-z][a-z-]*| +[^\s\x60,;:()&|<]+)+)")
PROSE = {"actions", "can", "command", "door", "jobs", "left", "mark", "runs", "still", "when"}
"""What follows the name where no command is meant: in sentences, and in keys of our own."""


def texts(path: Path) -> Iterator[str]:
    """The texts of a file; what is filled in stands as {}."""
    if path.suffix != ".py":
        yield path.read_text(encoding="utf-8")
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def wrong(words: list[str]) -> str:
    """What of a command line does not exist, "" where all does."""
    known: click.Command = cli
    context = click.Context(cli)
    named = []
    while words and isinstance(known, click.Group):
        word = words.pop(0)
        if word in ("-w", "--workspace", "--wait"):
            words = words[1:]
            continue
        found = known.get_command(context, word)
        if found is None:
            return " ".join([*named, word]) if re.fullmatch(r"[a-z][a-z-]*", word) else ""
        known, named = found, [*named, word]
    options = {name for item in known.params for name in (*item.opts, *item.secondary_opts)} | {"--help"}
    return next((" ".join([*named, word]) for word in words if word.startswith("--") and word not in options), "")


@pytest.mark.parametrize("room", ROOMS)
def test_every_command_that_is_named_exists(room: str) -> None:
    strange = {}
    for path in sorted(path for ending in ("py", "html", "txt") for path in (ROOT / room).rglob(f"*.{ending}")):
        for text in texts(path):
            for found in NAMED.finditer(text):
                words = [word.rstrip(".'\"") for word in found[1].split()]
                if words[0] not in PROSE and (what := wrong(words)):
                    strange[f"{path.relative_to(ROOT)}: galloway {what}"] = found[0]
    assert not strange, "\n".join(f"{place} ({text})" for place, text in strange.items())


def test_what_does_not_exist_is_found() -> None:
    assert wrong(["faceset", "show"]) == "faceset show"
    assert wrong(["faceset", "verify", "--side", "a"]) == ""
    assert wrong(["convert", "--skip", "{}", "--skp", "3"]) == "convert --skp"
