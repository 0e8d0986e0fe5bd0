"""What may come of a proof, and how long one may take."""

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"
SECONDS = 10.0
