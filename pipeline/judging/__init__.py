"""People say where a swap holds: moments of a film, the pages that ask about them, votes, and what they amount to."""
