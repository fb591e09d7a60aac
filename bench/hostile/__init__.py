"""Hostile inputs and faults, real and simulated: `python -m bench.hostile`."""
