"""A merge: plan, transaction, steps, recovery, and the way back."""
