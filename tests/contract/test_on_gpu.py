"""`bench/on_gpu.sh` where there is no card: it says so and measures nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "bench" / "on_gpu.sh"


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With nothing on the path, as on a machine without a driver."""
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *arguments], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )


def test_without_a_card_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "a.mp4", "b.mp4")
    assert done.returncode == 3
    assert "No CUDA card is here" in done.stderr


def test_it_wants_two_clips(tmp_path: Path) -> None:
    done = run(tmp_path, "a.mp4")
    assert (done.returncode, done.stderr.split()[0]) == (2, "Usage:")
