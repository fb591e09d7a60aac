"""A terminal that closes while training: the program goes on to its save, and what it writes goes nowhere."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
_WRITES_AFTER_HANGUP = """
import sys, time
from galloway.pipeline.engines.stopping import StopSwitch
with StopSwitch() as switch:
    print("ready", flush=True)
    while not switch.pressed:
        time.sleep(0.01)
    print("saving", flush=True)
    open(sys.argv[1], "w").write("saved")
"""


def test_a_closed_terminal_does_not_end_the_run_before_its_save(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", _WRITES_AFTER_HANGUP, str(saved)])
    assert b"ready" in os.read(terminal, 100)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert (os.waitstatus_to_exitcode(status), saved.read_text()) == (0, "saved")
