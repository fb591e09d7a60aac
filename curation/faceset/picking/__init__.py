"""Which faces to train on: chosen, drawn as a map and listed with reasons."""
