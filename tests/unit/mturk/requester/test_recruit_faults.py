"""A sample of bench/recruit.py: whatever fails on the way from a link to the pay, everybody is paid once."""

from __future__ import annotations

from bench.recruit import run


def test_a_sample_of_faults_between_link_and_pay() -> None:
    found = run(300, seed=2)
    assert found["faults"] >= 300 and len(found["by_kind"]) >= 15
    assert (found["paid_twice"], found["lost"], found["answers_from_unsigned_links"]) == (0, 0, 0)
    assert found["anything_else_wrong"] == {}
