"""`python -m defirisk`."""

from defirisk.cli.main import main

main()
