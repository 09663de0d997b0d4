"""Makes `.venv` with Python packages, jars and Azurite: `python3 -m scripts.setup [--dev]`. Does nothing twice."""

import argparse
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - what this says to an older Python is what the line is for
    sys.exit(f"Python 3.11 or newer is required, and this is {sys.version.split()[0]}: try `make PYTHON=python3.11`")

from scripts import environment
from scripts.stages import SetupError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="also what tests and linters need")
    try:
        environment.make(dev=parser.parse_args().dev)
    except SetupError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
