"""Truth inference on votes: pure functions of integer-coded arrays."""
