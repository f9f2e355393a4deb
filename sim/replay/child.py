"""A recording or a replay in a process of its own: sealing memory cannot be undone.

`python -m sim.replay.child record SCENARIO OUT.rec [thin] [SEED]`, `python -m sim.replay.child
replay IN.rec OUT.did`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REFUSED = 2


def main() -> int:
    """Do it; 0, or 2 with the reason on stderr."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from runtime.memory import prepare_allocator

    prepare_allocator()
    word, source, target, *more = sys.argv[1:]
    if word == "record":
        why = _record(Path(source), Path(target), "thin" in more, next(_numbers(more), None))
    else:
        why = _replay(Path(source), Path(target))
    if why:
        sys.stderr.write(f"{why}\n")
    return REFUSED if why else 0


def _numbers(words: list[str]) -> Iterator[int]:
    return (int(word) for word in words if word.isdigit())


def _record(scenario_file: Path, target: Path, is_thin: bool, seed: int | None) -> str:
    """Play a scenario and keep it; returns why that was refused."""
    from msgspec import to_builtins
    from msgspec.structs import replace

    from sim.replay import recording
    from sim.replay.record_tap import RecordTap
    from sim.replay.thin import thin, thin_grids
    from sim.replay.unfold import detector, model_of
    from sim.scenario.load import Loaded, load_scenario
    from sim.scenario.play import PlayOptions, play
    from sim.scenario.world import make_world

    loaded, tap = load_scenario(scenario_file), RecordTap()
    scenario, board = loaded.scenario, loaded.board
    if seed is not None:
        scenario = replace(scenario, seed=seed)
        loaded = Loaded(scenario, board, loaded.file, loaded.site)

    def listened(*arguments: Any) -> Any:
        return tap.world(make_world(*arguments))

    with tempfile.TemporaryDirectory(prefix="haetae-rec-") as folder:
        options = PlayOptions(make_world=listened, tap=tap, out=Path(folder))
        result = play(loaded, options)
        if result.verdict == "refused":
            return result.why
        site = json.loads((Path(folder) / result.files["site"]).read_text())
    result.file = scenario_file.name
    info = detector(scenario, board)
    model = model_of(info, board)
    made = tap.recording(result, model, to_builtins(scenario), to_builtins(board), site)
    if made is None:
        return "there never was a picture: there is nothing to record"
    if is_thin:
        thin(made.networks[0], info)
        made.grids = thin_grids(made.grids, board.camera.dark_level)
    recording.save(made, target)
    return ""


def _replay(source: Path, target: Path) -> str:
    """Run a recording again and write what the loop did; returns why that was refused."""
    import msgspec

    from sim.replay import recording
    from sim.replay.replay_tap import MosaicWorld, ReplayTap
    from sim.replay.unfold import unfold
    from sim.scenario.play import PlayOptions, play

    try:
        kept = recording.load(source)
        loaded = unfold(kept, source)
        camera = loaded.board.camera
        world = MosaicWorld(kept, camera.width_px, camera.height_px)
    except (recording.RecordingRefused, ValueError) as refused:
        return f"{source}: {refused}" if str(source) not in str(refused) else str(refused)
    tap = ReplayTap(kept)
    options = PlayOptions(make_world=lambda *_: world, tap=tap)
    result = play(loaded, options)
    if result.verdict == "refused":
        return result.why
    answer = {
        "did": tap.did(result),
        "speed": result.speed,
        "wall_s": result.wall_s,
        "missing": tap.missing,
    }
    target.write_bytes(msgspec.msgpack.encode(answer))
    return ""


if __name__ == "__main__":
    sys.exit(main())
