"""What lies before a face: learnt per workspace from its own uncovered faces, on which made things are put."""
