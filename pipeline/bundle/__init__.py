"""A training packed so that any machine can run it, and the ways there: ssh, a notebook, SkyPilot, dstack."""
