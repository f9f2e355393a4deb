"""The board's thermometer: as warm as a summer's day, unless the scenario makes it hot."""

from __future__ import annotations

from drivers.faults import ThermalFault
from drivers.thermal import Reading
from drivers.thermal_config import ThermalConfig
from sim.board.faults import Options

USUAL_C = 52.0


class SimThermometer:
    """Implements `Thermometer`.

    Args:
        config: its limit.
        faults: what is wrong with the board's heat now.
    """

    def __init__(self, config: ThermalConfig, faults: dict[str, Options]) -> None:
        self.reading = Reading()
        self._config, self._faults = config, faults

    def read(self) -> Reading:
        """Read it. Raises ThermalFault."""
        if "silent" in self._faults:
            raise ThermalFault("cannot_read", "asked for by the scenario")
        hot = self._faults.get("hot")
        self.reading.hottest_c = float(hot["celsius"]) if hot else USUAL_C
        if self.reading.hottest_c >= self._config.too_hot_c:
            raise ThermalFault("too_hot", "asked for by the scenario")
        return self.reading

    def close(self) -> None:
        """Nothing to close; may be called twice."""
