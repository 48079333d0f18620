"""Says that it is being imported, by a file, and then takes its time."""

import os
import time
from pathlib import Path

Path(os.environ["NNCONFORM_TEST_MARKER"]).touch()
time.sleep(600)
