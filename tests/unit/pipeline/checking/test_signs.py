"""Signs in how pages were worked through: what is noticed, and that people of many kinds are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from galloway.curation.types import PageKind
from galloway.pipeline.checking.signs import signs

Answers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Handed:
    worker_id: str
    page: str
    seconds: float
    said: Answers = ()
    kind: PageKind = PageKind.BOTH
    faces: int = 24

    at: int = 0

    @property
    def submitted_at(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at)

    @property
    def milliseconds(self) -> int | None:
        return round(1000 * self.seconds)


def pages(times: list[float], kind: PageKind = PageKind.BOTH) -> list[Handed]:
    return [Handed("w", f"p{number}", seconds, kind=kind) for number, seconds in enumerate(times)]


def kinds(done: list[Handed], worker: str = "w") -> set[str]:
    return {sign.kind for sign in signs(done).get(worker, ())}


def human(seed: int, count: int, spread: float = 0.3, middle: float = 48.0) -> list[float]:
    return (middle * np.exp(np.random.default_rng(seed).normal(0, spread, count))).tolist()


def test_a_page_in_a_second_is_a_sign_from_the_second_page_on() -> None:
    assert kinds(pages([1.3])) == set()
    assert "instant" in kinds(pages([1.3, 2.1]))
    assert "instant" not in kinds(pages([1.3, 2.1, 2.0, 1.7], PageKind.CLUSTER)), "a group is answered at once"


@pytest.mark.parametrize("middle", [10.0, 48.0, 200.0])
def test_even_delays_are_a_sign_and_peoples_are_not(middle: float) -> None:
    assert "even" in kinds(pages(human(1, 6, 0.01, middle)))
    assert "even" in kinds(pages(human(1, 14, 0.05, middle)))
    flagged = sum("even" in kinds(pages(human(seed, 12, 0.2, middle))) for seed in range(300))
    assert flagged == 0


def test_times_played_again_are_a_sign() -> None:
    recorded = human(3, 6)
    assert "times again" in kinds(pages(recorded * 2))
    assert sum("times again" in kinds(pages(human(seed, 20))) for seed in range(300)) <= 1


def test_browsers_that_round_their_clock_are_not_blamed() -> None:
    rounded = [[round(time, 1) for time in human(seed, 20)] for seed in range(300)]
    assert sum("times again" in kinds(pages(times)) for times in rounded) <= 1


def crowd(
    generator: np.random.Generator, errs: dict[str, float], count: int, copy: tuple[str, str] = ("", "")
) -> list[Handed]:
    """Pages of 24 faces, each answered by three of the crowd; a copier joins whom they copy."""
    done = []
    names = list(errs)
    for page in range(count):
        truth = generator.random(24) < 0.7
        chosen = generator.choice(names, 3, replace=False).tolist()
        if copy[0] and page % 4 == 0:
            chosen = [*copy, f"w{page // 4 % 12}"]
        given: dict[str, Answers] = {}
        for name in chosen:
            right = generator.random(24) >= errs[name]
            given[name] = tuple(
                (str(place), "keep" if good == ok else "reject")
                for place, (good, ok) in enumerate(zip(truth, right, strict=True))
            )
        if copy[0] and set(copy) <= set(chosen):
            given[copy[1]] = given[copy[0]]
        time = float(48 * np.exp(generator.normal(0, 0.3)))
        done += [
            Handed(name, f"p{page}", time + place, said, at=place) for place, (name, said) in enumerate(given.items())
        ]
    return done


def test_two_who_hand_in_the_same_are_noticed_though_they_are_the_majority() -> None:
    errs = {f"w{number}": 0.06 for number in range(12)} | {"a": 0.35, "b": 0.35}
    done = crowd(np.random.default_rng(5), errs, 60, ("a", "b"))
    assert {worker for worker, found in signs(done).items() if any(s.kind == "same answers" for s in found)} == {
        "a",
        "b",
    }


def test_nobody_is_blamed_for_a_third_who_errs() -> None:
    errs = {f"w{number}": 0.03 for number in range(8)} | {"hasty": 0.4, "random": 0.5}
    for seed in range(20):
        found = signs(crowd(np.random.default_rng(seed), errs, 60))
        assert not {worker for worker, told in found.items() if any(sign.kind == "same answers" for sign in told)}


def following(generator: np.random.Generator, copies: bool) -> list[Handed]:
    """Each page is answered by two people and by one who, where `copies`, says what was said before, else "keep"."""
    done = []
    for page in range(12):
        truth = generator.random(24) < 0.7
        names = [f"w{number}" for number in generator.choice(9, 2, replace=False)]
        names.insert(page % 3, "c")
        before: list[bool] = [True] * 24
        for place, name in enumerate(names):
            own = truth ^ (generator.random(24) < 0.06)
            said = before if copies and name == "c" else own.tolist()
            before = list(said) if not place else before
            told = tuple((str(face), "keep" if keep else "reject") for face, keep in enumerate(said))
            done.append(Handed(name, f"p{page}", float(48 * np.exp(generator.normal(0, 0.3))), told, at=place))
    return done


def test_who_answers_what_others_said_before_is_noticed_and_who_looks_is_not() -> None:
    for seed in range(10):
        found = signs(following(np.random.default_rng(seed), True))
        assert [worker for worker, told in found.items() if "follows others" in {s.kind for s in told}] == ["c"]
    for seed in range(100):
        found = signs(following(np.random.default_rng(seed), False))
        assert not any(sign.kind == "follows others" for told in found.values() for sign in told)


def test_who_answers_without_looking_says_nothing_of_others() -> None:
    done = following(np.random.default_rng(1), True)
    assert "follows others" in kinds(done, "c")
    blind = {f"w{number}" for number in range(9)}
    assert "follows others" not in {sign.kind for sign in signs(done, blind).get("c", ())}


def test_each_sign_has_words_for_both_and_names_nobody_else() -> None:
    found = signs([*pages([1.3] * 12)])["w"]
    assert len(found) == 3
    assert all(sign.evidence.endswith(".") and sign.told.endswith(".") for sign in found)
