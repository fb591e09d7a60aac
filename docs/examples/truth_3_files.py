"""Files of votes.

`read_votes` takes comma, semicolon or tab, results of an MTurk batch too (name the columns), and says in sentences
what it left out.
"""

# Names: read_votes VotesFile read_gold write_decisions code_gold

from pathlib import Path

from galloway.curation.truth import aggregate, code_gold, read_gold, read_votes, write_decisions

file = read_votes(Path("votes.csv"))
gold = read_gold(Path("gold.csv"))  # task,label
print(f"{len(file.votes)} votes; known answers for {(code_gold(file.votes, gold) >= 0).sum()} tasks", *file.notes)
write_decisions(Path("decisions.csv"), aggregate(file.votes, gold=gold))
