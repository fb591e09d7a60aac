"""What several servers give where each has a machine of its own: a queueing model of measured costs, no measurement.

Workers are a closed network: each asks, waits for the answer, and asks again. One assignment takes a server's
processor (one process of Python's: one customer at a time; shared evenly among the servers), the database's (`cores` of
them) and a delay in which nobody else is kept waiting: the workers' own time. Exact mean value analysis (Reiser and
Lavenberg, Mean-Value Analysis of Closed Multichain Queuing Networks, JACM 27, 1980) with Seidmann's approximation of a
station of several cores (Seidmann, Schweitzer and Shalev-Oren, 1987): a queue that is `cores` times as fast, and a
delay for the rest. What it leaves out: waiting for each other's rows, and a disk that many commits share.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["modelled", "throughput"]


def throughput(workers: int, queues: list[float], delay: float) -> float:
    """Assignments a millisecond of a closed network: `queues` are the milliseconds of each queue an assignment, `delay`
    those in which nobody else waits."""
    lengths = [0.0] * len(queues)
    rate = 0.0
    for there in range(1, workers + 1):
        waits = [service * (1 + length) for service, length in zip(queues, lengths, strict=True)]
        rate = there / (delay + sum(waits))
        lengths = [rate * wait for wait in waits]
    return rate


def modelled(spent: Mapping[str, float], workers: int, *, cores: int = 4) -> dict[str, float]:
    """Assignments a second with one, two and four servers, each a machine of its own, by the processor milliseconds
    that an assignment took of `servers`, `database` and `workers`; the database has `cores` cores."""
    found = {}
    for servers in (1, 2, 4):
        queues = [*[spent["servers"] / servers] * servers, spent["database"] / cores]
        delay = spent["workers"] + spent["database"] * (cores - 1) / cores
        found[f"{servers} servers" if servers > 1 else "1 server"] = round(1000 * throughput(workers, queues, delay), 1)
    return {**found, "two_to_one": round(found["2 servers"] / found["1 server"], 2)}
