"""The market side: HITs, assignments, money. Knows no face, no vote, no faceswap."""
