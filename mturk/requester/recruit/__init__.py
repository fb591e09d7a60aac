"""Recruiting from a panel: one protocol, two profiles (signed links, Prolific), and paying each person once."""
