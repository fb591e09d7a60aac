"""The whole way through the studio in a real browser: `python -m bench.studio`."""
