"""``python -m countersign``."""

import sys

from countersign.faces.cli import main

sys.exit(main())
