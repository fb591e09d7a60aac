"""How far people agree.

In percent, Gwet's AC1, Krippendorff's alpha, Fleiss' kappa, by label and by pairs of workers. All take a DataFrame or a
`VotesTable`, which is quicker when a table is used more than once.
"""

# Names: overall_agreement Agreement label_agreements LabelAgreement krippendorff_alpha krippendorff_alpha_interval
# Names: Interval reading_of fleiss_kappa unanimous_share pairwise_agreement Pairwise vote_counts

import pandas as pd
from galloway.curation.truth import (
    VotesTable,
    fleiss_kappa,
    krippendorff_alpha_interval,
    overall_agreement,
    pairwise_agreement,
    reading_of,
    unanimous_share,
    vote_counts,
)

votes = VotesTable.from_frame(pd.read_csv("votes.csv"))
agreement, alpha = overall_agreement(votes), krippendorff_alpha_interval(votes, seed=1)
print(reading_of(agreement, alpha, "face", votes.label_names[agreement.usual]))
print(f"AC1 {agreement.ac1:.2f}, alpha {alpha.value:.2f} ({alpha.low:.2f} to {alpha.high:.2f})")
print(f"kappa {fleiss_kappa(votes):.2f}, unanimous {unanimous_share(votes):.0%}")
print(pd.DataFrame(pairwise_agreement(votes).share, votes.worker_names, votes.worker_names))
print(pd.DataFrame(vote_counts(votes), votes.task_names, votes.label_names).head())
