"""Screening before asking: what pixels, pose and identity say of each face, as priors. Nothing here removes a face."""
