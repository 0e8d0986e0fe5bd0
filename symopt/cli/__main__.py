"""``python -m symopt.cli``."""

from symopt.cli.main import main

main()
