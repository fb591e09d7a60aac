"""From a DataFrame of votes to decisions.

Any table with the columns worker, task and label; labels are any words. `posterior` is the chance that the label is
right; `status` is decided, disputed (its voters contradict each other) or undecided (too little evidence). Gold is
known truth: never contradicted, and it tells good workers.
"""

# Names: aggregate Truth TaskStatus WorkerSkills VotesTable METHOD_NAMES DECIDE_AT State VotesError

import pandas as pd
from galloway.curation.truth import aggregate

votes = pd.read_csv("votes.csv")  # worker,task,label
truth = aggregate(votes, gold={"clip_000001_0.png": "keep"})
decisions = truth.to_frame()  # task, label, posterior, votes, status
decisions.query("status == 'decided'").to_csv("decisions.csv", index=False)
print(decisions["status"].value_counts(), f"expected error {truth.expected_error:.1%}")
print(dict(zip(truth.workers.names, truth.workers.accuracy.round(2), strict=True)))
