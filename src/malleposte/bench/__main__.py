"""`python -m malleposte.bench`: the same as `malleposte bench`."""

import sys

from malleposte.bench.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
