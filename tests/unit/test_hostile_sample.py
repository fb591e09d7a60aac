"""A sample of bench/hostile, real kills, cuts and disks included: nothing runs, hangs, falls, doubles or is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BAD = ("run", "hang", "traceback", "wrong", "doubled", "lost")


def sampled(*options: str) -> dict[str, int]:
    """The last line of the bench in a process of its own: it forks, which a process with threads must not."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "bench.hostile", *options]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=570, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    assert not {name: found[name] for name in BAD if found[name]}, done.stdout
    return found


@pytest.mark.parametrize("seed", ["2", "3"])
def test_a_sample_of_hostile_inputs_and_simulated_faults(seed: str) -> None:
    parts = ("--only", "inputs", "--only", "files", "--only", "simulated")
    found = sampled("--share", "0.03", "--seed", seed, *parts)
    assert found["inputs"] > 130 and found["faults"] > 150


@pytest.mark.slow
def test_a_sample_of_real_kills_cuts_disks_and_clocks() -> None:
    parts = ("--only", "kills", "--only", "cuts", "--only", "disks", "--only", "clocks")
    found = sampled("--share", "0.01", "--seed", "4", *parts)
    assert found["kills_of_commands"] >= 4 and found["kills_of_the_market_server"] >= 1
    assert found["cut_connections"] >= 6 and found["file_size_limits"] >= 1
