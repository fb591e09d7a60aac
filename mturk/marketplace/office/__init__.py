"""What the operator of the marketplace sees and does."""
