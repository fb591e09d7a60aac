"""The requester's side of a market: client, ledger, publish, collect, settle."""
