"""What a worker can do, as one class without a web framework. The worker site is built on this.

Every method is one transaction. Refusals are `WorkError`s of `mturk.marketplace.errors`, whose text is written for the
worker. A `worker_id` argument comes from `worker_of(session token)`, never from a form.
"""

from __future__ import annotations

from .accounts import Accounts
from .finding import Finding, Sort
from .learning import Learning
from .records import Records
from .recruiting import Recruits

__all__ = ["Sort", "Work"]


class Work(Accounts, Finding, Recruits, Records, Learning):
    """The worker-side use cases of one marketplace: joining, finding, doing, coming from a panel, records,
    qualifications."""

    def away(self, error: Exception) -> None:
        """Something was not done because the database or the disk does not answer: whoever runs this reads of it."""
        self._store.outage.note(error)
