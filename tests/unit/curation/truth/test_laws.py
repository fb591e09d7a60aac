"""Laws that hold for every method, found or refuted by hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.truth import METHOD_NAMES, VotesTable, aggregate
from galloway.curation.truth.models.em import VoteMatrix, posterior_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.votes import rows_strategy

Rows = list[tuple[str, str, str]]
every_method = pytest.mark.parametrize("method", METHOD_NAMES)
LABELS = ("l0", "l1", "l2")


def posteriors(rows: Rows, method: str, labels: tuple[str, ...] = LABELS, **options: object) -> dict[str, dict]:
    truth = aggregate(VotesTable.from_rows(rows, labels=labels), method=method, **options)  # type: ignore[arg-type]
    return {
        task: dict(zip(truth.votes.label_names, truth.posterior[code].tolist(), strict=True))
        for code, task in enumerate(truth.votes.task_names)
    }


def assert_same(left: dict[str, dict], right: dict[str, dict]) -> None:
    assert left.keys() == right.keys()
    for task in left:
        assert left[task] == pytest.approx(right[task], abs=1e-6)


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy(), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(method: str, rows: Rows, order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same(posteriors(rows, method), posteriors(shuffled, method))


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy(), names=st.permutations(LABELS))
def test_the_names_of_labels_do_not_matter(method: str, rows: Rows, names: list[str]) -> None:
    rename = dict(zip(LABELS, names, strict=True))
    renamed = posteriors([(worker, task, rename[label]) for worker, task, label in rows], method)
    back = {new: old for old, new in rename.items()}
    assert_same(posteriors(rows, method), {t: {back[k]: v for k, v in p.items()} for t, p in renamed.items()})


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy(), names=st.permutations([f"w{code}" for code in range(6)]))
def test_the_names_of_workers_do_not_matter(method: str, rows: Rows, names: list[str]) -> None:
    rename = {f"w{code}": name for code, name in enumerate(names)}
    assert_same(posteriors(rows, method), posteriors([(rename[w], t, lab) for w, t, lab in rows], method))


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy(), data=st.data())
def test_a_vote_given_twice_counts_once(method: str, rows: Rows, data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(rows), max_size=10))
    assert_same(posteriors(rows, method), posteriors(rows + again, method))


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy(), label=st.sampled_from(LABELS), data=st.data())
def test_gold_is_never_contradicted(method: str, rows: Rows, label: str, data: st.DataObject) -> None:
    task = data.draw(st.sampled_from(sorted({row[1] for row in rows})))
    truth = aggregate(VotesTable.from_rows(rows, labels=LABELS), method=method, gold={task: label})
    code = truth.votes.task_names.index(task)
    assert truth.labels()[task] == label
    assert truth.status[code] == "decided"
    assert truth.posterior[code].max() == 1.0


@every_method
@settings(max_examples=25)
@given(rows=rows_strategy())
def test_posteriors_are_probabilities_and_ties_have_no_label(method: str, rows: Rows) -> None:
    truth = aggregate(VotesTable.from_rows(rows, labels=LABELS), method=method)
    assert np.isfinite(truth.posterior).all()
    assert truth.posterior.sum(axis=1) == pytest.approx(1.0)
    top = np.sort(truth.posterior, axis=1)[:, ::-1]
    tied = top[:, 0] - top[:, 1] <= 1e-9
    assert ((truth.label < 0) == tied).all()
    assert not (truth.status[tied] == "decided").any()


@pytest.mark.parametrize("method", ["majority", "one-coin", "dawid-skene", "auto"])
@settings(max_examples=50)
@given(rows=rows_strategy(), label=st.sampled_from(LABELS), data=st.data())
def test_an_agreeing_vote_of_a_newcomer_never_lowers_a_label(
    method: str, rows: Rows, label: str, data: st.DataObject
) -> None:
    task = data.draw(st.sampled_from(sorted({row[1] for row in rows})))
    before = posteriors(rows, method)[task][label]
    after = posteriors([*rows, ("newcomer", task, label)], method)[task][label]
    # The model methods stop at a tolerance; counting is exact.
    assert after >= before - (0.0 if method == "majority" else 1e-3)


def test_a_smoothed_fit_goes_on_while_its_likelihood_falls() -> None:
    voted = (
        "w5 t2 l0, w5 t3 l2, w5 t4 l1, w2 t7 l1, w0 t0 l0, w1 t1 l0, w1 t7 l2, w4 t7 l0, w0 t7 l2, w4 t1 l2, w5 t0 l2"
    )
    rows = [(worker, task, label) for worker, task, label in (vote.split() for vote in voted.split(", "))]
    before = posteriors(rows, "one-coin")["t0"]
    assert before["l0"] == pytest.approx(0.684, abs=2e-3)
    after = posteriors([*rows, ("newcomer", "t0", "l1")], "one-coin")["t0"]
    assert after["l1"] >= before["l1"]


@settings(max_examples=50)
@given(rows=rows_strategy(labels=2), label=st.integers(0, 1), accuracy=st.floats(0.5, 0.99), data=st.data())
def test_with_skills_held_an_agreeing_vote_of_a_worker_above_chance_never_lowers_a_label(
    rows: Rows, label: int, accuracy: float, data: st.DataObject
) -> None:
    task = data.draw(st.sampled_from(sorted({row[1] for row in rows})))
    votes = VotesTable.from_rows([*rows, ("newcomer", task, f"l{label}")], labels=("l0", "l1"))
    confusion = np.full((votes.n_workers, 2, 2), 1 - accuracy)
    confusion[:, [0, 1], [0, 1]] = accuracy
    code = votes.task_names.index(task)
    both = []
    for table in (votes.take(np.arange(len(rows))), votes):
        second = posterior_of(VoteMatrix(table).scores(np.log(confusion), np.log(np.full(2, 0.5))))[0][code]
        both.append(second if label else 1 - second)
    assert both[1] >= both[0] - 1e-12
