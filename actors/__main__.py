"""`python -m actors` is the command line."""

import sys

from actors.cli import main

sys.exit(main())
