"""`sim.scenario.child` with the stand-in for the world."""

from __future__ import annotations

import sys

from sim.scenario.child import main
from tests.sim.scenario.stand_in import StandIn

if __name__ == "__main__":
    sys.exit(main(StandIn))
