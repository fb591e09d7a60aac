"""What a film says of itself, signed: that it is a swap, from what, on what basis; and reading it back."""
