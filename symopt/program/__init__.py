"""Equations as loops that no target has a say in."""
