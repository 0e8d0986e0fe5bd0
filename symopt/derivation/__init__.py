"""What follows from a declaration."""
