"""The requester's pages: batches, agreement, disputes, training, results."""
