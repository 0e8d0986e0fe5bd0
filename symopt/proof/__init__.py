"""Whether two expressions, or two rules, are the same: proved, refuted or undecided."""
