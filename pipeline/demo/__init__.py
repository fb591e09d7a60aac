"""The demo: made footage, a simulated crowd, and the whole flow in one command."""
