"""Write the skeleton student's package: file and `model.toml`; card and picture once measured.

    python -m models.training.skeleton_package INT8 models/students/skeleton_s
    python -m models.training.skeleton_evaluate models/students/skeleton_s last.pt REPORT CACHE...
    python -m models.training.skeleton_package INT8 models/students/skeleton_s \\
        --report REPORT --notes notes.md --cache SIMULATED
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.package import load_package
from models.skeletons import KEYPOINTS
from models.training.export import interpreter
from models.training.licences import LICENCES
from models.training.package import _tensor
from models.training.pyramid import parameter_count
from models.training.skeleton_cache import People
from models.training.skeleton_evaluate import SIMULATED, int8_joints
from models.training.skeleton_export import outputs_of
from models.training.skeleton_figure import sheet
from models.training.skeleton_student import MARGIN, STRIDE, SkeletonStudent

VERSION: Final = "0.2.0"
SCORE: Final = 0.4
"""From which on a joint is seen; below half, as legs out of view have made it unsure of legs."""
TEACHER: Final = "MoveNet lightning and BlazePose lite (Apache-2.0, Google) on real pictures"
TEMPLATE: Final = Path(__file__).with_name("skeleton_card.md")
SHOWN: Final = 12


def describe(name: str, file: Path, report: dict[str, Any] | None) -> str:
    """The text of `model.toml`; without a report it says nothing of accuracy and data."""
    runner, content = interpreter(file), file.read_bytes()
    classes = ", ".join(f'"{joint}"' for joint in KEYPOINTS)
    parts = [
        f'format = 1\nname = "{name}"\nversion = "{VERSION}"\nrole = "skeleton"\n'
        f'family = "joint_cells"\nlicence = "Apache-2.0"\nclasses = [{classes}]\n'
        f'parameters = {parameter_count(SkeletonStudent())}\nteacher = "{TEACHER}"\n',
        f'[input]\n{_tensor(runner.get_input_details()[0])}colour = "bgr"\npad_value = 114\n'
        f"crop_margin = {MARGIN}\n",
        '[decode]\nbox = "none"\nscore = "probability"\n',
        f"[thresholds]\nscore = {SCORE}\n",
    ]
    outputs = outputs_of(runner).items()
    for kind, detail in sorted(outputs, key=lambda item: item[1]["position"]):
        parts.append(
            f'[[outputs]]\nindex = {detail["position"]}\nkind = "{kind}"\nstride = {STRIDE}\n'
            f"{_tensor(detail)}"
        )
    parts.append(
        f'[[targets]]\nnpu = "tflite"\nfile = "{file.name}"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n'
    )
    if report is not None:
        numbers = "".join(f"{key} = {value:.4f}\n" for key, value in accuracy(report).items())
        parts.append(f"[accuracy]\n{numbers}")
        for source, count in report["trained"].items():
            parts.append(
                f'[[training_data]]\nname = "{source}"\nlicence = "{LICENCES[source]}"\n'
                f"images = {count}\n"
            )
    return "\n".join(parts)


def accuracy(report: dict[str, Any]) -> dict[str, float]:
    """Numbers for `[accuracy]`: int8, held out."""
    int8 = report["int8"]
    simulated = int8["sources"][SIMULATED]
    numbers = {
        "pck_torso_simulated": simulated["torso"][0],
        "pck_torso_simulated_float": report["float"]["sources"][SIMULATED]["torso"][0],
        "reported_simulated": simulated["reported"][0],
        "teacher_agrees_real": int8["real"]["height"][0],
        "teacher_agrees_real_float": report["float"]["real"]["height"][0],
    }
    for source, row in int8["sources"].items():
        if source != SIMULATED and row["height"][3]:
            numbers[f"teacher_agrees_{source}"] = row["height"][0]
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def card(name: str, file: Path, report: dict[str, Any], notes: str) -> str:
    """The card's text, Markdown."""
    height, width = interpreter(file).get_input_details()[0]["shape"][1:3]
    return TEMPLATE.read_text().format(
        name=name,
        file=file.name,
        kilobytes=round(file.stat().st_size / 1000),
        parameters=parameter_count(SkeletonStudent()),
        width=width,
        height=height,
        rows=height // STRIDE,
        columns=width // STRIDE,
        margin=MARGIN,
        score=SCORE,
        best_ms=report["invoke_ms"]["best"],
        median_ms=report["invoke_ms"]["median"],
        sources=_sources(report),
        joints=_joints(report),
        postures=_lines(report, "postures", "posture"),
        sizes=_lines(report, "sizes", "longer side of the box"),
        data=_data(report),
        notes=notes,
    )


def _share(value: list[float]) -> str:
    """Value and interval; a dash where nothing counts."""
    return f"{value[0]:.3f} ({value[1]:.3f}-{value[2]:.3f})" if value[3] else "-"


def _sources(report: dict[str, Any]) -> str:
    lines = [
        "| held-out people of | people | joints | within 0.2 torso | float | within 0.1 of the "
        "box's height | float | within 0.1 of its longer side | reported |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    rows = {**report["int8"]["sources"], "all real sets": report["int8"]["real"]}
    floats = {**report["float"]["sources"], "all real sets": report["float"]["real"]}
    for source, row in rows.items():
        lines.append(
            f"| {source} | {row['people']} | {row['height'][3]} | {_share(row['torso'])} "
            f"| {floats[source]['torso'][0]:.3f} | {_share(row['height'])} "
            f"| {floats[source]['height'][0]:.3f} | {row['side'][0]:.3f} "
            f"| {row['reported'][0]:.3f} |"
        )
    return "\n".join(lines)


def _joints(report: dict[str, Any]) -> str:
    lines = [
        "| joint | simulated, within 0.2 torso | real, within 0.1 of the height |",
        "|---|---|---|",
    ]
    simulated = report["int8"]["sources"][SIMULATED]["joints"]
    real = report["int8"]["real"]["joints"]
    for joint in KEYPOINTS:
        cells = _share(simulated[joint]["torso"]), _share(real[joint]["height"])
        lines.append(f"| {joint.replace('_', ' ')} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _lines(report: dict[str, Any], key: str, head: str) -> str:
    lines = [f"| {head} | joints | within 0.2 torso |", "|---|---|---|"]
    for name, value in report["int8"][key].items():
        lines.append(f"| {name.replace('_', ' ')} | {value[3]} | {_share(value)} |")
    return "\n".join(lines)


def _data(report: dict[str, Any]) -> str:
    lines = ["| set | licence | people trained on | held out and judged |", "|---|---|---|---|"]
    for source, count in report["trained"].items():
        judged = report["int8"]["sources"].get(source, {"people": 0})["people"]
        lines.append(f"| {source} | {LICENCES[source]} | {count} | {judged} |")
    return "\n".join(lines)


def picture(folder: Path, cache: Path) -> None:
    """Write skeletons.png: held-out simulated people with what the int8 file finds."""
    people = People([cache])
    rows = np.flatnonzero(people.held_out & (people.sources == SIMULATED))
    side = (people.box[rows][:, 2:] - people.box[rows][:, :2]).max(1)
    rows = rows[side >= np.percentile(side, 60)]
    rows = rows[:: max(len(rows) // SHOWN, 1)][:SHOWN]
    package = load_package(folder, "tflite")
    found = int8_joints(package, people, rows)
    shown = sheet([people[i] for i in rows.tolist()], found, SCORE)
    cv2.imwrite(str(folder / "skeletons.png"), shown)


def main() -> None:
    """Write the package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("int8", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--notes", type=Path, help="decision and known failures, for the card")
    parser.add_argument("--cache", type=Path, help="simulated people, for the picture")
    arguments = parser.parse_args()
    name, folder = arguments.folder.name, arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}_int8.tflite"
    file.write_bytes(arguments.int8.read_bytes())
    report = json.loads(arguments.report.read_text()) if arguments.report else None
    (folder / "model.toml").write_text(describe(name, file, report))
    if report is not None:
        notes = arguments.notes.read_text().strip() if arguments.notes else ""
        (folder / "README.md").write_text(card(name, file, report, notes))
    if arguments.cache:
        picture(folder, arguments.cache)


if __name__ == "__main__":
    main()
