"""Faces with different voters share pages, and never meet a voter of theirs again."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from galloway.curation.types import Question, Side
from galloway.pipeline.asking.gather import gather
from galloway.pipeline.asking.needs import Need
from hypothesis import given
from hypothesis import strategies as st

from tests.support.faces import make_face


def need(number: int, voters: str, *, votes: int = 1, faces: int = 1, round_: int = 2, audit: bool = False) -> Need:
    members = tuple(make_face(100 * number + step) for step in range(faces))
    return Need(Side.A, Question.USABLE, round_, votes, frozenset(voters), members, audit)


def test_in_a_large_crowd_small_groups_share_pages() -> None:
    crowd = "abcdefghijklmnopqrstuvwxyz"
    groups = [need(place, "".join(trio)) for place, trio in enumerate(combinations(crowd[:12], 3), 1)]
    gathered = gather(groups, crowd)
    assert len(groups) == 220
    assert len(gathered) == 1
    assert gathered[0].excluded == frozenset(crowd[:12])
    assert len(gathered[0].faces) == 220


def test_in_a_team_of_five_nobody_waits_for_one_person() -> None:
    groups = [need(1, "abc"), need(2, "abd"), need(3, "abc", round_=3)]
    gathered = gather(groups, "abcde")
    assert sorted(sorted(item.excluded) for item in gathered) == [["a", "b", "c"], ["a", "b", "d"]]
    assert {item.round for item in gathered} == {2, 3}


def test_a_team_of_seven_has_fewer_pages_and_three_who_may_answer_each() -> None:
    groups = [need(place, "".join(trio)) for place, trio in enumerate(combinations("abcdefg", 3), 1)]
    gathered = gather(groups, "abcdefg")
    assert (len(groups), len(gathered)) == (35, 14)
    assert all(len(item.excluded) <= 4 for item in gathered)
    two = gather([replace(item, votes=2) for item in groups], "abcdefg")
    assert len(two) == 35, "four are left for two votes"


def test_whose_voters_are_shut_out_already_joins() -> None:
    """One of three skipped a face of the page; it needs no page of its own."""
    (one,) = gather([need(1, "abc", faces=4), need(2, "ab")], "abcde")
    assert (one.excluded, len(one.faces)) == (frozenset("abc"), 5)
    assert len(gather([need(1, "abc", faces=4, votes=2), need(2, "ab", votes=2)], "abcde")) == 2


def test_first_votes_audits_and_other_numbers_of_votes_stay_apart() -> None:
    groups = [need(1, ""), need(2, "ab"), need(3, "ac", audit=True), need(4, "ad", votes=2)]
    assert len(gather(groups, "abcdefghijklmnop")) == 4


VOTERS = st.sets(st.sampled_from("abcdefghijkl"), min_size=0, max_size=5)
GROUPS = st.lists(st.tuples(VOTERS, st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=25)


@given(GROUPS, st.sets(st.sampled_from("mnopqrst")))
def test_every_face_is_asked_once_of_workers_who_have_not_seen_it(
    groups: list[tuple[set[str], int, int]], others: set[str]
) -> None:
    needs = [
        need(place, "".join(voters), faces=faces, votes=votes) for place, (voters, faces, votes) in enumerate(groups, 1)
    ]
    crowd = others.union(*(voters for voters, _, _ in groups))
    voters_of = {face.face_id: item.excluded for item in needs for face in item.faces}
    votes_of = {face.face_id: item.votes for item in needs for face in item.faces}
    gathered = gather(needs, crowd)
    met = [face.face_id for item in gathered for face in item.faces]
    assert sorted(met) == sorted(voters_of)
    for item in gathered:
        for face in item.faces:
            assert voters_of[face.face_id] <= item.excluded
            assert votes_of[face.face_id] == item.votes
        together = {voters_of[face.face_id] for face in item.faces}
        if len(together) > 1:
            admitted = len(crowd - item.excluded)
            assert admitted >= 2 * item.votes
            inside_one = item.excluded in together
            assert inside_one or 2 * admitted >= len(crowd) or (admitted >= 3 and len(item.excluded) <= 6)


@given(st.permutations(list(range(6))))
def test_the_order_of_groups_does_not_matter(order: list[int]) -> None:
    groups = [need(place + 1, voters) for place, voters in enumerate(["ab", "bc", "cd", "de", "ef", "fa"])]
    plain = {(item.excluded, frozenset(item.faces)) for item in gather(groups, "abcdefghij")}
    assert {
        (item.excluded, frozenset(item.faces)) for item in gather([groups[place] for place in order], "abcdefghij")
    } == plain
