"""``python -m tumor_abm`` is ``tumor-abm``."""

import sys

from tumor_abm.cli import main

sys.exit(main())
