"""The frame in which a HIT's own page runs, on an origin of its own."""
