"""Gather: faces that different workers have judged come together on common pages.

In a later round each face must go to workers who have not seen it. Asked apart, the few doubtful faces of every earlier
page would each make a small page with a qualification of its own: thousands of them in a large faceset. Here groups of
faces share pages whose workers must have seen none of their faces. That shuts more workers out than need be: half of
the known crowd at most, of a small team up to six as long as three remain, and always so many fewer that twice as many
as votes are wanted may answer.

Measured on simulated second rounds of 2,000 faces, 15 % of them doubtful: 5 workers 17 pages (26 with half of the crowd
for all), 7 workers 19 (33), 12 workers 20 (20), 40 workers 16 (16). In a team of seven of whom three in ten have left,
2.2 % of the faces then find nobody, instead of 0.8 %.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from .needs import Need

__all__ = ["gather"]

_OF_A_TEAM = 6
_REMAIN = 3


@dataclass(slots=True)
class _Bin:
    """Groups that go together; `voters` is the union of their voters, one bit a worker."""

    voters: int
    members: list[Need] = field(default_factory=list)


def gather(needs: Sequence[Need], crowd: Collection[str]) -> list[Need]:
    """`needs` with those of the same side, question, kind and number of votes put together where workers remain.

    `crowd` is every worker known so far. A group joins others only while enough workers have seen none of the faces
    (`_may_be_shut_out`), or where those who saw its faces are shut out already; so in a small team nobody waits for one
    person. Every face keeps its excluded voters, and nothing depends on the order of `needs` within one kind.
    """
    names = sorted({worker for need in needs for worker in need.excluded} | set(crowd))
    bit = {worker: 1 << place for place, worker in enumerate(names)}
    alike: dict[tuple[object, ...], list[Need]] = defaultdict(list)
    for need in needs:
        alike[need.audit, need.beside, need.sought, need.side, need.question, need.votes, bool(need.excluded)].append(
            need
        )
    gathered = []
    for group in alike.values():
        within = len(names) - 2 * group[0].votes
        most = min(within, _may_be_shut_out(len(names)))
        for filled in _fill(group, bit, most, within):
            gathered.append(_together(filled.members))
    return gathered


def _may_be_shut_out(crowd: int) -> int:
    """Of so many workers, how many may be kept from a page so that groups can share it."""
    return max(crowd // 2, min(crowd - _REMAIN, _OF_A_TEAM))


def _fill(group: Sequence[Need], bit: dict[str, int], most: int, within: int) -> list[_Bin]:
    """First the largest groups; each goes where it shuts out fewest more workers, `most` in all; where it shuts out
    none more, `within` in all."""
    bins: list[_Bin] = []
    for need in sorted(group, key=lambda item: (-len(item.faces), sorted(item.excluded), item.round)):
        voters = sum(bit[worker] for worker in need.excluded)
        best = None
        for candidate in bins:
            grown = (candidate.voters | voters).bit_count()
            growth = grown - candidate.voters.bit_count()
            if grown > (most if growth else within) and candidate.voters != voters:
                continue
            if best is None or growth < best[0]:
                best = growth, candidate
                if not growth:
                    break
        if best is None:
            bins.append(_Bin(voters, [need]))
        else:
            best[1].voters |= voters
            best[1].members.append(need)
    return bins


def _together(members: Sequence[Need]) -> Need:
    """One need out of several; its round is the latest of them."""
    if len(members) == 1:
        return members[0]
    return replace(
        members[0],
        round=max(need.round for need in members),
        excluded=frozenset().union(*(need.excluded for need in members)),
        faces=tuple(face for need in members for face in need.faces),
    )
