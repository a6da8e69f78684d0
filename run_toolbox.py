#!/usr/bin/env -S sh -c 'exec "$(dirname "$(readlink -f "$0")")/testing/python" "$0" "$@"'
"""The command line of every toolbox command: `./run_toolbox.py GROUP COMMAND [--arg=value]`."""

import sys

from projects.core.cli.toolbox import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
