"""Runs the command line of this process."""

import sys

from shared.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
