"""Gather: faces that different workers have judged come together on common pages.

In a later round each face must go to workers who have not seen it. Asked apart, the few doubtful faces of every earlier
page would each make a small page with a qualification of its own: thousands of them in a large faceset. Here groups of
faces share pages whose workers must have seen none of their faces. That shuts more workers out than need be, so at
least half of the known crowd stays admitted to every page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from pipeline.stages.ask import Need

__all__ = ["gather"]


@dataclass(slots=True)
class _Bin:
    """Groups that go together; `voters` is the union of their voters, one bit a worker."""

    voters: int
    members: list[Need] = field(default_factory=list)


def gather(needs: Sequence[Need], crowd: Collection[str]) -> list[Need]:
    """`needs` with those of the same side, question, kind and number of votes put together where workers remain.

    `crowd` is every worker known so far. A group joins others only while half of the crowd, and twice as many workers
    as votes are wanted, have seen none of the faces; so in a small team nobody waits for one person. Every face keeps
    its excluded voters, and nothing depends on the order of `needs` within one kind.
    """
    names = sorted({worker for need in needs for worker in need.excluded} | set(crowd))
    bit = {worker: 1 << place for place, worker in enumerate(names)}
    alike: dict[tuple[object, ...], list[Need]] = defaultdict(list)
    for need in needs:
        alike[need.audit, need.side, need.question, need.votes, bool(need.excluded)].append(need)
    gathered = []
    for group in alike.values():
        most = len(names) - max(2 * group[0].votes, (len(names) + 1) // 2)
        for filled in _fill(group, bit, most):
            gathered.append(_together(filled.members))
    return gathered


def _fill(group: Sequence[Need], bit: dict[str, int], most: int) -> list[_Bin]:
    """First the largest groups; each goes where it shuts out fewest more workers, `most` in all."""
    bins: list[_Bin] = []
    for need in sorted(group, key=lambda item: (-len(item.faces), sorted(item.excluded), item.round)):
        voters = sum(bit[worker] for worker in need.excluded)
        best = None
        for candidate in bins:
            grown = (candidate.voters | voters).bit_count()
            if grown > most and candidate.voters != voters:
                continue
            growth = grown - candidate.voters.bit_count()
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
