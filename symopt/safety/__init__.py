"""Where the arithmetic of a kernel is in danger: kinks, cancellation, overflow and underflow."""
