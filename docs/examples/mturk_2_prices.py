"""Prices before anything is sent.

Money is `Decimal`. The budget is checked inside `publish`, before anything is sent: a wall, fees included.
"""

# Names: FeeSchedule percent_fees Quote quote BudgetExceeded InsufficientFunds

from decimal import Decimal

from galloway.mturk import percent_fees, quote

price = quote(Decimal("0.12"), [3] * 40, percent_fees(Decimal(20)), seconds=Decimal(45))
print(price)  # HITs, reward, fee, total and the hourly wage it amounts to
