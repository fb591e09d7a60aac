"""What extracts, trains and converts, behind one protocol (`base.Engine`)."""
