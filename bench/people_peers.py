"""What `bench/people.py` is measured against: votes on every face, by majority and by CROWDLAB."""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.sight import seen
from galloway.pipeline.demo.crowd import Profile, TrueFace, answer
from numpy.typing import NDArray

__all__ = ["peers"]

_VALUES = ["keep", *(f"reject:{why}" for why in ("not_a_face", "another_person", "blurred", "covered", "bad_crop"))]

CROWDLAB = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
data = np.load(sys.argv[1])
labels = pd.DataFrame(data["labels"])
majority = get_majority_vote_label(labels)
model = LogisticRegression(max_iter=1000)
likely = cross_val_predict(model, data["matrix"], majority, cv=5, method="predict_proba")
found = get_label_quality_multiannotator(labels, likely, verbose=False)["label_quality"]
print(json.dumps([int(label) for label in found["consensus_label"]]))
"""


def peers(app: App, known: Mapping[str, TrueFace], crowd: Sequence[Profile], seed: int) -> dict[str, tuple[int, int]]:
    """Wanted faces lost and wrong ones kept by each peer, a line each; every vote is another simulated person's."""
    names = [face.name for face in app.store.faces(Side.B)]
    wanted = np.array([known[name].usable == "keep" for name in names])
    people = [replace(profile, name=f"{profile.name}-{twin}") for twin in (1, 2) for profile in crowd]
    found = {}
    for votes in (3, 7):
        told = _votes(known, names, people, votes, seed)
        found[f"majority of {votes}"] = _report(f"{votes} votes, majority", np.nanmean(told, axis=1) > 0.5, wanted)
    kept = _crowdlab(app, _votes(known, names, people, 3, seed))
    if kept is None:
        print("  CROWDLAB: name a Python that has cleanlab in GALLOWAY_CLEANLAB_PYTHON")
    else:
        found["CROWDLAB on 3"] = _report("3 votes, CROWDLAB", kept, wanted)
    return found


def _votes(
    known: Mapping[str, TrueFace], names: Sequence[str], people: Sequence[Profile], votes: int, seed: int
) -> NDArray[np.float64]:
    """1 keep, 0 reject, NaN not asked (faces, people)."""
    told = np.full((len(names), len(people)), np.nan)
    for row, name in enumerate(names):
        for voter in random.Random(f"{seed}:{name}").sample(range(len(people)), votes):
            told[row, voter] = _vote(known[name], people[voter], seed, name)
    return told


def _vote(face: TrueFace, voter: Profile, seed: int, name: str) -> float:
    own = random.Random(f"{seed}:{voter.name}:{name}")
    alike = voter.alike and own.random() < voter.alike
    return float(answer(voter, face, _VALUES, random.Random(f"{seed}:{name}") if alike else own) == "keep")


def _crowdlab(app: App, labels: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """cleanlab's CROWDLAB (Goh et al. 2022) with a cross-validated logistic regression on our features."""
    peer, sight = os.environ.get("GALLOWAY_CLEANLAB_PYTHON"), seen(app, Side.B)
    if not peer or sight is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes.npz"
        np.savez(path, labels=labels, matrix=sight.features.matrix)
        done = subprocess.run([peer, "-c", CROWDLAB, str(path)], check=True, capture_output=True, text=True)
    return np.array(json.loads(done.stdout.splitlines()[-1])) == 1


def _report(name: str, kept: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> tuple[int, int]:
    lost, wrong = int((wanted & ~kept).sum()), int((kept & ~wanted).sum())
    print(f"  {name}: {lost} wanted lost, {wrong} wrong kept")
    return lost, wrong
