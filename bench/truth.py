"""How much less CPU truth inference takes here than in crowd-kit, for the same posteriors.

    python -m bench.truth [--quick]

Both run in a process of their own, one thread, on the same synthetic votes. Each calls its method again for three
seconds, three times at least; the CPU seconds of the quickest call are compared. crowd-kit is looked for in this
interpreter, or in the one that the environment variable GALLOWAY_CROWDKIT_PYTHON names; without it the ratios are null.
Reads nothing from outside. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CASES = {
    "binary": {"votes": 1_000_000, "labels": 2, "seed": 1},
    "ten labels": {"votes": 1_000_000, "labels": 10, "seed": 2},
}
QUICK = {
    "binary": {"votes": 200_000, "labels": 2, "seed": 1},
    "ten labels": {"votes": 100_000, "labels": 10, "seed": 2},
}
LARGE = {"votes": 5_000_000, "labels": 2, "seed": 3}


def make_votes(votes: int, labels: int, seed: int, *, workers: int = 500, per_task: int = 5) -> dict[str, NDArray[Any]]:
    """Five votes a task by workers of skewed activity: most good, one in ten guessing, three in a hundred adverse."""
    generator = np.random.default_rng(seed)
    n_tasks = votes // per_task
    truth = generator.integers(0, labels, n_tasks)
    activity = np.log(generator.pareto(1.2, workers) + 0.05)
    panels = np.empty((n_tasks, per_task), dtype=np.int32)
    for start in range(0, n_tasks, 20_000):
        size = min(20_000, n_tasks - start)
        keys = activity + generator.gumbel(size=(size, workers)).astype(np.float32)
        panels[start : start + size] = np.argpartition(-keys, per_task, axis=1)[:, :per_task]
    skill = generator.beta(6, 2.5, (workers, labels))
    kind = generator.random(workers)
    skill[kind < 0.10] = 1.0 / labels
    skill[kind > 0.97] = 0.1
    right = generator.random((n_tasks, per_task)) < skill[panels, truth[:, None]]
    wrong = (truth[:, None] + generator.integers(1, labels, (n_tasks, per_task))) % labels
    return {
        "workers": panels.ravel(),
        "tasks": np.repeat(np.arange(n_tasks, dtype=np.int32), per_task),
        "labels": np.where(right, truth[:, None], wrong).ravel().astype(np.int32),
    }


OURS = """
import json, sys, time
import numpy as np
from galloway.curation.truth.agreement import krippendorff_alpha
from galloway.curation.truth import VotesTable
from galloway.curation.truth.models.em import VoteMatrix, exact, fit
data = np.load(sys.argv[1])
votes = VotesTable.from_codes(data["workers"], data["tasks"], data["labels"], distinct=True)
def timed(call, repeat):
    begun, taken = time.process_time(), []
    while len(taken) < repeat or (repeat > 1 and time.process_time() - begun < 3):
        start = time.process_time(); result = call(); taken.append(time.process_time() - start)
    return result, min(taken)
def infer():
    matrix = VoteMatrix(votes)
    return fit(matrix, matrix.shares(), exact(matrix))
fitted, inference = timed(infer, int(sys.argv[3]))
alpha, agreement = timed(lambda: krippendorff_alpha(votes), int(sys.argv[3]))
if sys.argv[2] != "-":
    np.save(sys.argv[2], fitted.posterior)
with open("/proc/self/status") as status:  # not getrusage: its peak survives fork and exec
    peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
print(json.dumps({"seconds": inference, "iterations": fitted.iterations, "alpha": alpha, "alpha_seconds": agreement,
                  "peak_mib": peak}))
"""

PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from crowdkit.aggregation import DawidSkene
from crowdkit.metrics.data import alpha_krippendorff
data = np.load(sys.argv[1])
frame = pd.DataFrame({"task": data["tasks"], "worker": data["workers"], "label": data["labels"]})
def timed(call):
    begun, taken = time.process_time(), []
    while len(taken) < int(sys.argv[3]) or time.process_time() - begun < 3:
        start = time.process_time(); result = call(); taken.append(time.process_time() - start)
    return result, min(taken)
def infer():
    model = DawidSkene()
    return model, model.fit_predict_proba(frame)
(model, posterior), inference = timed(infer)
alpha, agreement = timed(lambda: alpha_krippendorff(frame))
np.save(sys.argv[2], posterior.sort_index().sort_index(axis=1).to_numpy())
print(json.dumps({"seconds": inference, "iterations": len(model.loss_history_), "alpha": alpha,
                  "alpha_seconds": agreement}))
"""


def run(python: str, code: str, *arguments: str) -> dict[str, Any]:
    """One process, one thread; its last line as JSON."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = str(Path(__file__).resolve().parents[1])
    environment = os.environ | single | ({"PYTHONPATH": root} if python == sys.executable else {})
    done = subprocess.run([python, "-c", code, *arguments], env=environment, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def peer_python() -> str | None:
    """An interpreter that can import crowd-kit."""
    named = os.environ.get("GALLOWAY_CROWDKIT_PYTHON")
    if named:
        return named
    return sys.executable if importlib.util.find_spec("crowdkit") else None


def compare(name: str, case: dict[str, int], peer: str | None, folder: Path) -> dict[str, Any]:
    """One case, both programs."""
    source = folder / "votes.npz"
    np.savez(source, **make_votes(**case))  # type: ignore[arg-type]
    ours = run(sys.executable, OURS, str(source), str(folder / "ours.npy"), "3")
    line = f"{name}, {case['votes']:,} votes: here {ours['seconds']:.3f} s CPU in {ours['iterations']} iterations"
    result = {"case": name, "votes": case["votes"], "ours": ours, "peer": None, "ratio": None}
    if peer:
        theirs = run(peer, PEER, str(source), str(folder / "theirs.npy"), "3")
        gap = float(np.abs(np.load(folder / "ours.npy") - np.load(folder / "theirs.npy")).max())
        ratio = theirs["seconds"] / ours["seconds"]
        alpha_ratio = theirs["alpha_seconds"] / ours["alpha_seconds"]
        result |= {"peer": theirs, "ratio": ratio, "alpha_ratio": alpha_ratio, "largest_difference": gap}
        line += f", crowd-kit {theirs['seconds']:.2f} s in {theirs['iterations']}: {ratio:.0f} times less"
        line += f"; posteriors differ by {gap:.0e}; alpha {alpha_ratio:.0f} times less"
    print(line, flush=True)
    return result


def main() -> None:
    """Run the cases and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller tables, under 40 seconds")
    quick = parser.parse_args().quick
    peer = peer_python()
    if peer is None:
        print("crowd-kit not found: set GALLOWAY_CROWDKIT_PYTHON to a Python that has it for the ratios.", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        results = [compare(name, case, peer, folder) for name, case in (QUICK if quick else CASES).items()]
        large = None
        if not quick:
            np.savez(folder / "large.npz", **make_votes(**LARGE))  # type: ignore[arg-type]
            large = run(sys.executable, OURS, str(folder / "large.npz"), "-", "1")
            print(f"5,000,000 votes: {large['seconds']:.2f} s CPU, peak memory {large['peak_mib']:.0f} MiB")
    print(json.dumps({"cases": results, "five_million": large, "wall_seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
