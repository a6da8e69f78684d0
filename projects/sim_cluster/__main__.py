"""``python3 -m projects.sim_cluster``."""

import sys

from projects.sim_cluster.cli import main

sys.exit(main())
