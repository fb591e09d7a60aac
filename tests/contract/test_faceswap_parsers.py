"""The table of old commands against argument parsers: recorded ones, and the real program's where it is."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from galloway.pipeline.engines.faceswap import FaceswapEngine, translate

from tests.contract.faceswap_standin.program import parser
from tests.support.faceswap import LINES, real_engine
from tests.support.old_commands import OLD_COMMANDS

Parsers = Callable[[Sequence[tuple[str, ...]]], list[bool]]

# Runs in faceswap's own Python, in a shadow of its folder: builds its parsers and says which commands they take.
_REAL = """
import contextlib, importlib, io, json, os, sys
from argparse import ArgumentParser
sys.argv[0] = os.path.join(os.getcwd(), "faceswap.py")
sys.path.insert(0, os.getcwd())
from lib.cli.args_train import TrainArgs
from lib.cli.args_extract_convert import ConvertArgs, ExtractArgs
top = ArgumentParser()
sub = top.add_subparsers(dest="command", required=True)
for name, args in (("extract", ExtractArgs), ("train", TrainArgs), ("convert", ConvertArgs)):
    args(sub, name, name)
for tool in sorted(os.listdir("tools")):
    if os.path.isfile(os.path.join("tools", tool, "cli.py")):
        found = vars(importlib.import_module(f"tools.{tool}.cli"))
        for key, value in found.items():
            if isinstance(value, type) and key.lower() == tool + "args":
                value(sub, tool, tool)
verdicts = []
for words in json.loads(sys.stdin.read()):
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            taken = vars(top.parse_args(words))
            old = [key for key, value in taken.items() if key.startswith("depr_") and value]
            verdicts.append(not old)
        except SystemExit:
            verdicts.append(False)
print("\\n" + json.dumps(verdicts))
"""


def recorded(line: str) -> Parsers:
    def judge(commands: Sequence[tuple[str, ...]]) -> list[bool]:
        return [_takes(line, words) for words in commands]

    return judge


def _takes(line: str, words: tuple[str, ...]) -> bool:
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            parser(line, words[1]).parse_args(list(words[2:]))
        except SystemExit:
            return False
    return True


def real(engine: FaceswapEngine, work_dir: Path) -> Parsers:
    def judge(commands: Sequence[tuple[str, ...]]) -> list[bool]:
        program = engine.program
        with program.shadow(work_dir) as (folder, _lock):
            run = subprocess.run(
                [str(program.python), "-c", _REAL],
                cwd=folder,
                env=program.environment(folder),
                input=json.dumps([words[2:] for words in commands]),
                capture_output=True,
                text=True,
                check=True,
            )
        verdicts: list[bool] = json.loads(run.stdout.strip().splitlines()[-1])
        return verdicts

    return judge


REAL = real_engine()
WHERE = [*LINES, *(["real"] if REAL is not None else [])]


@pytest.mark.parametrize("where", WHERE)
def test_today_every_translated_command_is_taken_and_no_old_one_is_passed_on(where: str, tmp_path: Path) -> None:
    if where == "real":
        assert REAL is not None
        line, takes = REAL.program.home.line, real(REAL, tmp_path)
    else:
        line, takes = where, recorded(where)
    commands = [translate(old, line).command for old in OLD_COMMANDS]
    refused = [command for command, taken in zip(commands, takes(commands), strict=True) if not taken]
    assert refused == []


@pytest.mark.parametrize("where", WHERE)
def test_the_old_spellings_themselves_are_not_taken(where: str, tmp_path: Path) -> None:
    if where == "real":
        assert REAL is not None
        line, takes = REAL.program.home.line, real(REAL, tmp_path)
    else:
        line, takes = where, recorded(where)
    old = [
        ("python", "faceswap.py", *"train -A A -B B -m M -t realface -wl".split()),  # noqa: SIM905
        ("python", "tools.py", *"alignments -j remove-faces -a X.fsa -fc DIR".split()),  # noqa: SIM905
        ("python", "tools.py", *"alignments -j leftover-faces -a X.fsa".split()),  # noqa: SIM905
    ]
    assert takes(old) == [False, False, False]
    assert all(translate(" ".join(words), line).command != words for words in old)
