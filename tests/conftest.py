"""What every test needs before torch is imported."""

import os

# As in a run: threads that spin while they wait slow every other process on the machine down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
