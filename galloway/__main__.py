"""`python -m galloway`: the command line without its script."""

from .pipeline.cli.main import main

main()
