"""Does every page keep to the rules of accessibility? `python -m bench.axe`."""
