"""Who is asked again, who is left alone, what it costs, and whether the promise held."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_UP, Decimal

import numpy as np
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.truth import Truth, VotesTable, aggregate, vote_counts
from galloway.curation.truth.adaptive import (
    Action,
    Goal,
    Prices,
    RoundPlan,
    expected_gain,
    plan_round,
)
from galloway.curation.truth.audit import Audit, check_audit
from galloway.curation.truth.like_majority import BY_SHARES, FIRST_SHARE, LAST_SHARE, LOSS, expected_loss
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.votes import Crowd, make_crowd, table

PRICES = Prices(vote=Decimal("0.012"), person=Decimal("0.10"))


def crowd(seed: int = 1, per_task: int = 3) -> Crowd:
    confusion = np.array([[[0.85, 0.15], [0.2, 0.8]]] * 20)
    return make_crowd(confusion, tasks=300, per_task=per_task, seed=seed)


def test_doubtful_tasks_are_asked_and_sure_ones_are_not() -> None:
    truth = aggregate(crowd().votes)
    plan = plan_round(truth, Goal(target_error=0.15, audit_share=0), PRICES, seed=1)
    assert truth.confidence[plan.ask].max() < 0.85
    stopped = plan.actions == Action.STOP
    assert truth.confidence[stopped].min() >= 0.85
    assert plan.cost == (PRICES.vote * len(plan.ask)).quantize(Decimal("0.01"), rounding=ROUND_UP)
    assert 0 < plan.error_removed < plan.error_now


def test_a_budget_buys_the_votes_that_remove_most_error_and_defers_the_rest() -> None:
    truth = aggregate(crowd().votes)
    free = plan_round(truth, Goal(audit_share=0), PRICES, seed=1)
    tight = plan_round(truth, Goal(audit_share=0, budget=Decimal("0.13")), PRICES, seed=1)
    assert len(tight.ask) == 10
    assert tight.cost <= Decimal("0.13")
    assert sorted([*tight.ask, *tight.deferred]) == free.ask.tolist()
    assert 0 < tight.error_removed < free.error_removed


def test_the_budget_covers_the_audit_too() -> None:
    truth = aggregate(crowd().votes)
    plan = plan_round(truth, Goal(audit_share=0.2, budget=Decimal("0.24")), PRICES, seed=1)
    assert plan.votes == 20
    assert 0 < len(plan.audit) < 20


def test_a_task_with_most_votes_goes_to_a_person_and_a_settled_one_to_nobody() -> None:
    votes = table("a t1 y", "b t1 n", "a t2 y", "b t2 n", "a t3 y", "b t3 n")
    goal = Goal(most_votes=2, audit_share=0)
    plan = plan_round(aggregate(votes, method="majority"), goal, PRICES, seed=1, settled=np.array([2]))
    assert plan.person.tolist() == [0, 1]
    assert plan.person_cost == Decimal("0.20")
    assert len(plan.ask) == 0


def test_tasks_below_the_fewest_votes_are_always_asked() -> None:
    votes = VotesTable.from_codes([0, 1, 2], [0, 0, 1], [1, 1, 1], n_tasks=3, n_labels=2)
    goal = Goal(audit_share=0, target_error=0.45, most_votes=5)
    assert goal.fewest_votes == 2
    assert Goal(most_votes=9).fewest_votes == 3
    assert {1, 2} <= set(plan_round(aggregate(votes), goal, PRICES, seed=1).ask.tolist())


def test_a_vote_that_is_not_worth_its_price_is_not_asked() -> None:
    truth = aggregate(crowd().votes)
    free = plan_round(truth, Goal(audit_share=0), PRICES, seed=1)
    dear = plan_round(truth, Goal(audit_share=0, error_cost=Decimal("0.24")), PRICES, seed=1)
    assert 0 < len(dear.ask) < len(free.ask)
    assert sorted([*dear.ask, *dear.person]) == free.ask.tolist()
    skill = float(np.average(truth.workers.accuracy, weights=truth.workers.votes))
    assert expected_gain(truth.confidence[dear.ask], skill).min() >= 0.05
    assert expected_gain(truth.confidence[dear.person], skill).max() < 0.05


def test_the_audit_is_a_random_share_of_the_stopped_and_named_in_the_guarantee() -> None:
    truth = aggregate(crowd().votes)
    goal = Goal(audit_share=0.1)
    plan = plan_round(truth, goal, PRICES, seed=1)
    stopped = np.flatnonzero(plan.actions == Action.STOP)
    assert set(plan.audit) <= set(stopped)
    assert len(plan.audit) == int(np.ceil(0.1 * len(stopped)))
    assert f"{len(plan.audit)} of them, drawn at random" in plan.guarantee
    assert plan_round(truth, goal, PRICES, seed=2).audit.tolist() != plan.audit.tolist()


def test_an_audit_finds_posteriors_that_promise_too_much() -> None:
    source = crowd(per_task=5)
    first = np.zeros(len(source.votes), dtype=bool)
    first[np.arange(len(source.votes)) % 5 < 3] = True
    honest = aggregate(source.votes.take(first))
    later = source.votes.take(~first)
    assert not check_audit(honest, later).over_confident
    boasting = replace(honest, posterior=np.eye(2)[honest.posterior.argmax(axis=1)])
    confusion = np.tile(np.array([[0.97, 0.03], [0.03, 0.97]]), (source.votes.n_workers, 1, 1))
    boasting = replace(boasting, workers=replace(honest.workers, confusion=confusion))
    assert check_audit(boasting, later).over_confident


def test_an_audit_without_votes_says_nothing() -> None:
    truth = aggregate(crowd().votes)
    assert not check_audit(truth, truth.votes.take(np.arange(0))).over_confident


@settings(max_examples=100)
@given(confidence=st.floats(0.5, 1.0), skill=st.floats(0.5, 0.99))
def test_a_vote_never_promises_more_than_certainty_and_never_less_than_nothing(confidence: float, skill: float) -> None:
    gain = float(expected_gain(np.array([confidence]), skill)[0])
    assert 0.0 <= gain <= 1.0 - confidence + 1e-12


def test_a_goal_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(VotesError, match=r"target error of 0\.7"):
        Goal(target_error=0.7)
    with pytest.raises(VotesError, match="contradict each other"):
        Goal(fewest_votes=5, most_votes=3)
    with pytest.raises(VotesError, match="audit share"):
        Goal(audit_share=2)
    with pytest.raises(VotesError, match=r"majority of 0\.5 votes"):
        Goal(like_majority_of=0.5)


def rounds(source: Crowd, votes: int, allowed: float = LOSS) -> tuple[Truth, RoundPlan, list[int]]:
    """Ask one vote of everybody, then what the goal wants, from a crowd that holds `votes` votes a task."""
    turn = np.arange(len(source.votes)) % votes
    have = np.ones(source.votes.n_tasks, dtype=int)
    goal = Goal(like_majority_of=votes, most_votes=votes, audit_share=0, allowed_loss=allowed)
    asked: list[int] = []
    while True:
        truth = aggregate(source.votes.take(turn < have[source.votes.tasks]))
        plan = plan_round(truth, goal, PRICES, seed=1)
        if not len(plan.ask):
            return truth, plan, asked
        have[plan.ask] += 1
        asked.append(len(plan.ask))
        assert have.max() <= votes


def test_labels_as_good_as_a_majority_cost_fewer_votes_than_it_does() -> None:
    good, bad = [[0.95, 0.05], [0.1, 0.9]], [[0.55, 0.45], [0.5, 0.5]]
    source = make_crowd(np.array([good] * 8 + [bad] * 12), tasks=400, per_task=9, seed=2)
    truth, plan, asked = rounds(source, 9)
    spent = (source.votes.n_tasks + sum(asked)) / len(source.votes)
    assert FIRST_SHARE <= spent < 0.75
    assert max(asked) <= (source.votes.n_tasks + 3) // 4
    majority = aggregate(source.votes, method="majority")
    assert source.accuracy(truth.label) >= source.accuracy(majority.label)
    assert plan.loss is not None
    assert plan.loss <= LOSS
    assert f"majority of 9 votes on every task would be right {abs(plan.loss):.1%} " in plan.guarantee


def test_the_less_may_be_lost_the_more_is_bought_up_to_a_bound() -> None:
    lost = make_crowd(np.array([[[0.6, 0.4], [0.4, 0.6]]] * 20), tasks=200, per_task=5, seed=3)
    easy, strict = rounds(lost, 5, allowed=0.03)[2], rounds(lost, 5, allowed=-1.0)
    assert sum(easy) < sum(strict[2])
    assert LAST_SHARE <= (200 + sum(strict[2])) / len(lost.votes) < LAST_SHARE + 0.1
    assert "the rest promises little" in strict[1].guarantee


def test_where_nobody_is_left_to_ask_others_are_asked() -> None:
    truth = aggregate(crowd(per_task=1).votes)
    goal = Goal(like_majority_of=5, audit_share=0)
    first = plan_round(truth, goal, PRICES, seed=1).ask
    then = plan_round(truth, goal, PRICES, seed=1, exhausted=first).ask
    assert len(then) == len(first)
    assert not set(then) & set(first)


def test_everybody_gets_one_vote_first_and_the_settled_are_not_counted() -> None:
    votes = table("a t1 y", "b t2 n", "c t3 y")
    fresh = VotesTable(
        votes.workers, votes.tasks, votes.labels, votes.worker_names, (*votes.task_names, "t4", "t5"), votes.label_names
    )
    goal = Goal(like_majority_of=5, audit_share=0)
    plan = plan_round(aggregate(fresh), goal, PRICES, seed=1, settled=np.array([4]))
    assert 3 in plan.ask
    assert 4 not in plan.ask


def test_nothing_is_lost_where_all_votes_are_in_and_much_where_the_label_is_another() -> None:
    votes = crowd(per_task=5).votes
    majority = aggregate(votes, method="majority")
    assert expected_loss(majority, 5) == 0.0
    turned = replace(majority, posterior=0.5 - 0.01 * (majority.posterior - 0.5))
    counts = vote_counts(votes)
    by_shares = (np.ptp(counts, axis=1) / (counts.sum(axis=1) + 1)).mean()
    by_model = -np.ptp(turned.posterior, axis=1).mean()
    assert by_shares > 0.4
    assert expected_loss(turned, 5) == pytest.approx(BY_SHARES * by_shares + (1 - BY_SHARES) * by_model)


def test_the_fewer_votes_there_are_the_more_may_be_lost() -> None:
    source = crowd(per_task=9)
    turn = np.arange(len(source.votes)) % 9
    losses = [expected_loss(aggregate(source.votes.take(turn < have)), 9) for have in (2, 4, 7)]
    assert losses == sorted(losses, reverse=True)


def test_an_audit_s_interval_is_the_exact_one() -> None:
    # R 4.3, binom.test(1, 12)$conf.int and binom.test(0, 40)$conf.int
    assert (round(Audit(12, 1, 0).low, 6), round(Audit(12, 1, 0).high, 6)) == (0.002108, 0.384796)
    assert (Audit(40, 0, 0).low, round(Audit(40, 0, 0).high, 6)) == (0, 0.088097)
    assert "1 of 12 answers on audited faces contradict the decision: 0.2% to 38.5%" in Audit(12, 1, 0.5).text()
