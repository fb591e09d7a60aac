"""Style sheet, script and icon of the requester's app."""
