"""Whether answers are looked at: hidden known faces, signs of how pages were worked through, a line a worker."""
