"""A marketplace that is killed while people work: nothing lost, nothing doubled, nothing over-filled."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.marketplace import run


@pytest.mark.slow
def test_two_kills_change_no_total(tmp_path: Path) -> None:
    figures = run(workers=6, total=60, kills=2, state=tmp_path)
    assert figures["kills"] == 2 and figures["assignments"] == 60
    broken = {name: figures[name] for name in ("missing", "lost", "doubled", "overfilled")}
    assert broken == dict.fromkeys(broken, 0)
