"""`python -m gavial`, where the console script is not on the path."""

import sys

from gavial.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
