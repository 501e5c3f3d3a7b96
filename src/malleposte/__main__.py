"""``python -m malleposte``: the same as the command ``malleposte``."""

import sys

from malleposte.cli import main

if __name__ == "__main__":
    sys.exit(main())
