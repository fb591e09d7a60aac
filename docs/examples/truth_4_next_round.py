"""Whom to ask about next.

Where another vote removes most expected error for its price, within a budget.
"""

# Names: plan_round Goal Prices RoundPlan

from decimal import Decimal

import pandas as pd
from galloway.curation.truth import Goal, Prices, aggregate, plan_round

truth = aggregate(pd.read_csv("votes.csv"))
plan = plan_round(truth, Goal(target_error=0.05, budget=Decimal("2.00")), Prices(vote=Decimal("0.02")), seed=1)
print(plan.guarantee)
print([truth.votes.task_names[code] for code in plan.ask], f"for {plan.cost}")
