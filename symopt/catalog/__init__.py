"""Declarations, one concept a file: content, which the machinery never imports."""
