"""The stand-in program: says and does what each line was recorded saying and doing, on small made-up work.

Words, streams and line ends are those of v2.3.0 and master (acdcfa87) as recorded; switches stand in `parsers.json`.
GALLOWAY_STANDIN_FAULT asks for trouble: `nan:5`, `oom:3`, `collapse:4`, `kill:6` (at that iteration or frame),
`tear:2` (killed in the middle of that save), `crash:1`, `refuse:1` (leaves out frames while converting), `unzip:1`
(what comes for weights is a web page).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import NoReturn

__all__ = ["Voice", "main", "parser"]

_PACE = 0.01


class Voice:
    """How a line of faceswap speaks."""

    def __init__(self, line: str, logfile: str | None) -> None:
        self.line = line
        self.old = line == "v2.3.0"
        self._logfile = Path(logfile) if logfile else None

    def log(self, level: str, text: str) -> None:
        said = f"{datetime.now():%m/%d/%Y %H:%M:%S} {level:<8} {text}"
        print(said, flush=True)
        if self._logfile is not None:
            with self._logfile.open("a", encoding="utf-8") as file:
                file.write(said + "\n")

    def info(self, text: str) -> None:
        self.log("INFO", text)

    def bar(self, what: str, done: int, total: int, *, stderr: bool) -> None:
        stream = sys.stderr if stderr else sys.stdout
        percent = round(100 * done / total)
        blocks = "█" * (percent // 10)
        stream.write(f"\r{what}: {percent:3d}%|{blocks:<10}| {done}/{total} [00:01<00:02,  9.87it/s]")
        stream.flush()

    def loss(self, iteration: int, a: float, b: float) -> None:
        said = f"[{datetime.now():%H:%M:%S}] [#{iteration:05d}] Loss A: {a:.5f}, Loss B: {b:.5f}"
        print(f"\r{said}" if self.old else said, end="" if self.old else "\r", flush=True)

    def clear(self) -> None:
        """What comes between a loss line and a log line."""
        print("" if self.old else "\x1b[2K", end="\n" if self.old else "\r", flush=True)


def fault(name: str) -> int | None:
    """The number that GALLOWAY_STANDIN_FAULT gives for `name`."""
    asked, _, number = os.environ.get("GALLOWAY_STANDIN_FAULT", "").partition(":")
    return int(number) if asked == name else None


def die() -> NoReturn:
    """Be killed, as by the system."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL does not return")


def parser(line: str, script: str) -> argparse.ArgumentParser:
    """The argument parser of one script, made from the recorded switches."""
    recorded = json.loads((Path(__file__).parent / "parsers.json").read_text(encoding="utf-8"))[line]
    result = argparse.ArgumentParser(prog=script)
    commands = result.add_subparsers(dest="command", required=True)
    for command, rows in recorded.items():
        if (command in ("extract", "train", "convert")) != (script == "faceswap.py"):
            continue
        sub = commands.add_parser(command)
        for row in rows:
            if row.get("takes") == "none":
                sub.add_argument(*row["switches"], action="store_true")
            else:
                sub.add_argument(
                    *row["switches"], nargs="+" if row.get("takes") == "some" else None, choices=row.get("choices")
                )
    return result


def main(line: str) -> None:
    """Run as `faceswap.py` or `tools.py` of `line`."""
    from tests.contract.faceswap_standin import convert, extract, train

    folder = Path(sys.argv[0]).resolve().parent
    backend = os.environ.get("FACESWAP_BACKEND")
    if not backend:
        input("1: CPU, 2: NVIDIA ")
    print(f"Setting Faceswap backend from environment variable to {str(backend).upper()}", flush=True)
    (folder / "config").mkdir(exist_ok=True)
    for name in ("extract", "train", "convert"):
        (folder / "config" / f"{name}.ini").touch()
    arguments = parser(line, Path(sys.argv[0]).name).parse_args()
    voice = Voice(line, arguments.logfile)
    voice.info("Log level set to: INFO")
    if line == "master" and arguments.command != "extract" and os.environ.get("KERAS_BACKEND") != "torch":
        crash(voice, folder, "ModuleNotFoundError: No module named 'tensorflow'")
    if fault("crash"):
        crash(voice, folder, "RuntimeError: made to crash")
    time.sleep(_PACE)
    {"extract": extract.run, "train": train.run, "convert": convert.run}[arguments.command](voice, arguments, folder)
    if voice.old and arguments.command != "train":
        voice.info("Process Successfully Completed. Shutting Down...")


_AFTERWARDS = """
============ System Information ============
backend:             cpu
git_branch:          main
git_commits:         Say what to do when a CUDA out of memory stops a training | Nobody may get a MemoryError
py_command:          faceswap.py train

=============== Pip Packages ===============
numpy==1.26.4

================= Configs ==================
--------- train.ini ---------

[global]
nan_protection:           True
"""
"""What a report ends with; git tells of the repository that the shadow lies in, be it whose it may."""


def crash(voice: Voice, folder: Path, what: str) -> NoReturn:
    """Say what was raised, write a crash report and leave with 1, as both lines do."""
    trace = (
        f'Traceback (most recent call last):\n  File "{folder}/lib/cli/launcher.py", line 1, in execute_script\n{what}'
    )
    report = folder / f"crash_report.{datetime.now():%Y.%m.%d.%H%M%S%f}.log"
    buffered = "11/22/2026 07:47:15 MainProcess MainThread logger log_setup DEBUG Log level set to: INFO"
    report.write_text(f"{buffered}\n{trace}\n{_AFTERWARDS}", encoding="utf-8")
    voice.log("ERROR", f"Got Exception on main handler:\n{trace}")
    voice.log("CRITICAL", f"An unexpected crash has occurred. Crash report written to '{report}'.")
    sys.exit(1)
