"""`python -m local replay ...`: see local/replay.py."""

import sys

from local.replay import main

if sys.argv[1:2] != ["replay"]:
    sys.exit("usage: python -m local replay FILE... --over 24h [--config DIR] --out DIR")
sys.exit(main(sys.argv[2:]))
