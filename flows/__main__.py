"""``python -m flows``: the command line, also where the ``kikitori`` script is not installed."""

from flows.cli import main

main()
