"""How good a swap is, in the field's own measures: identity, pose, expression, synchronisation, steadiness, border."""
