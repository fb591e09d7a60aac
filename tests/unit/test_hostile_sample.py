"""A sample of bench/hostile.py: nothing runs, hangs, falls over, doubles or is lost."""

from __future__ import annotations

import pytest

from bench.hostile import figures, run


@pytest.mark.parametrize("seed", [2, 3])
def test_a_sample_of_hostile_inputs_and_faults(seed: int) -> None:
    tally = run(seed, 0.02)
    found = figures(tally)
    bad = {
        key: tally.examples.get(key)
        for key in tally.counts
        if key[1] not in ("answered", "refused", "right", "", "run")
    }
    assert not bad
    assert found["inputs"] > 60 and found["faults"] > 100
    assert {name: count for name, count in found.items() if name not in ("inputs", "faults") and count} == {}
