"""Sums over named indices with symbolic bounds: normal forms, and derivatives of equations."""
