"""From a recording back to what can be played, checked as strictly as the files were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from drivers import board as board_file
from drivers.board import Board
from drivers.faults import ModelRefused
from drivers.toml_strict import ConfigErrors, Mistake, check_strict
from models.package import ModelInfo, find_package, load_package
from runtime.site import Site
from runtime.site_check import CHECKS
from sim.board import faults
from sim.replay.recording import Model, Recording, RecordingRefused
from sim.scenario import cross_checks
from sim.scenario.load import Loaded
from sim.scenario.schema import Scenario


def unfold(kept: Recording, source: Path) -> Loaded:
    """The recorded scenario, board and site; without expectations, as the truth is not recorded.

    Raises:
        RecordingRefused: one of them is not allowed, or the detector here is another one.
    """
    try:
        scenario = check_strict("scenario", bare(kept.scenario), Scenario, cross_checks.ALL)
        board = check_strict("board", bare(kept.board), Board, board_file.CHECKS)
        site = check_strict("site", bare(kept.site), Site, CHECKS)
        _check_faults(scenario, board)
        here = model_of(detector(scenario, board), board)
    except (ConfigErrors, ModelRefused) as refused:
        raise RecordingRefused(f"{source}: {refused}") from refused
    if here != kept.model:
        raise RecordingRefused(f"{source}: recorded with {kept.model}; the one here is {here}")
    return Loaded(replace(scenario, expect=[]), board, Path(kept.file), site)


def detector(scenario: Scenario, board: Board) -> ModelInfo:
    """The package that a scenario runs with. Raises ModelRefused."""
    folder = find_package(scenario.model or board.models.detector)
    return load_package(folder, board.npu.driver).info


def model_of(info: ModelInfo, board: Board) -> Model:
    """What a recording says of a package that was loaded for a board."""
    file = next(entry for entry in info.targets if entry.npu == board.npu.driver)
    return Model(info.name, info.version, file.npu, file.sha256)


def bare(value: Any) -> Any:
    """Without what is None: a file has no word for it."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if item is not None}
    return [bare(item) for item in value] if isinstance(value, list) else value


def _check_faults(scenario: Scenario, board: Board) -> None:
    outputs = tuple(output.name for output in board.outputs)
    wrong = [
        Mistake("scenario", f"faults[{index}].{key}", UNSET if value is None else value, allowed)
        for index, fault in enumerate(scenario.faults)
        for key, value, allowed in faults.complaints(
            fault.component, fault.type, fault.options, outputs
        )
    ]
    if wrong:
        raise ConfigErrors(wrong)
