"""Screening before asking: priors from pictures, never silent deletes."""
