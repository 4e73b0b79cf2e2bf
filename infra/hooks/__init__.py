"""What `azd` runs before and after it provisions and deploys; they need Python, `az` and `azd` alone."""

import sys

if sys.version_info < (3, 13):  # noqa: UP036 - this line is what tells a person who has an older one
    sys.exit(
        "MISSING  Python 3.13\n         Install it: see local/python313.sh, or https://www.python.org/downloads/"
    )
