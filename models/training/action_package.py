"""Write the action student's package: file, `model.toml`, card and picture, from measured numbers.

    python -m models.training.action_package action_xs_int8.tflite report.json \\
        models/students/action_xs --notes failures.md
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.action import ACTIONS
from models.skeletons import REACH
from models.training.action_student import BLOCKS, BOTTLENECK, WIDTH, ActionStudent, Exported
from models.training.export import interpreter
from models.training.package import _tensor
from models.training.pyramid import parameter_count

VERSION = "0.4.0"
SCORE = 0.5
TEMPLATE = Path(__file__).with_name("action_card.md")
CELL_PX, MARGIN_PX = 44, 120
INK, PAPER, FULL = (40, 40, 40), (255, 255, 255), (150, 70, 20)
U8 = npt.NDArray[np.uint8]


def describe(name: str, file: Path, report: dict[str, Any]) -> str:
    """The text of `model.toml`."""
    runner, content = interpreter(file), file.read_bytes()
    classes = ", ".join(f'"{action}"' for action in ACTIONS)
    parts = [
        f'format = 1\nname = "{name}"\nversion = "{VERSION}"\nrole = "action"\n'
        f'family = "skeleton_classifier"\nlicence = "Apache-2.0"\nclasses = [{classes}]\n'
        f"parameters = {parameter_count(Exported(ActionStudent()))}\n",
        f'[input]\n{_tensor(runner.get_input_details()[0])}skeleton = "coco17_torso"\n',
        '[decode]\nbox = "none"\nscore = "softmax"\n',
        f"[thresholds]\nscore = {SCORE}\n",
        f'[[outputs]]\nindex = 0\nkind = "class"\nstride = 1\n'
        f"{_tensor(runner.get_output_details()[0])}",
        f'[[targets]]\nnpu = "tflite"\nfile = "{file.name}"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n',
        "[accuracy]\n"
        + "".join(f"{key} = {value:.4f}\n" for key, value in accuracy(report).items()),
    ]
    for source, row in report["sources"].items():
        parts.append(
            f'[[training_data]]\nname = "{source}"\nlicence = "{row["licence"]}"\n'
            f"images = {row['trained']}\n"
        )
    return "\n".join(parts)


def accuracy(report: dict[str, Any]) -> dict[str, float]:
    """Numbers for `[accuracy]`: int8, held out."""
    numbers = {}
    for source, row in report["int8"].items():
        numbers[f"accuracy_{source}"] = row["accuracy"]
        numbers[f"balanced_{source}"] = row["balanced"]
    falls = report["falls"]
    numbers["called_fall_of_bend_squat"] = falls["called_fall"] / max(falls["rows"], 1)
    return numbers


def card(name: str, file: Path, report: dict[str, Any], notes: str) -> str:
    """The card's text, Markdown."""
    return TEMPLATE.read_text().format(
        name=name,
        file=file.name,
        kilobytes=round(file.stat().st_size / 1000),
        parameters=parameter_count(Exported(ActionStudent())),
        reach=f"{REACH:g}",
        width=WIDTH,
        blocks=BLOCKS,
        bottleneck=BOTTLENECK,
        classes=", ".join(ACTIONS),
        resident_kb=report["resident_kb"],
        best_ms=report["invoke_ms"]["best"],
        median_ms=report["invoke_ms"]["median"],
        accuracy_table=_accuracy_table(report),
        wrong_table=_wrong_table(report),
        data_table=_data_table(report),
        robust_table=_robust_table(report),
        called_fall=report["falls"]["called_fall"],
        not_falls=report["falls"]["rows"],
        notes=notes,
    )


def _accuracy_table(report: dict[str, Any]) -> str:
    lines = [
        "| set | rows | int8 (95 %) | balanced | float | int8 and float agree |",
        "|---|---|---|---|---|---|",
    ]
    for source, row in report["int8"].items():
        low, high = row["range"]
        lines.append(
            f"| {source} | {row['rows']} | {row['accuracy']:.4f} ({low:.3f}-{high:.3f}) "
            f"| {row['balanced']:.4f} | {report['float'][source]['accuracy']:.4f} "
            f"| {report['same_answer'][source]:.4f} |"
        )
    return "\n".join(lines)


def _wrong_table(report: dict[str, Any]) -> str:
    lines = ["| set | label | right | said |", "|---|---|---|---|"]
    rows = [
        (one["rows"] - one["right"], source, label, one)
        for source, row in report["int8"].items()
        for label, one in row["labels"].items()
        if one["right"] < one["rows"]
    ]
    for _, source, label, one in sorted(rows, key=lambda row: -row[0])[:12]:
        said = ", ".join(f"{k} {v}" for k, v in sorted(one["said"].items(), key=lambda i: -i[1]))
        lines.append(f"| {source} | {label} | {one['right']} of {one['rows']} | {said} |")
    return "\n".join(lines)


def _robust_table(report: dict[str, Any]) -> str:
    """Share right, and of the people who are up the share called down, in per cent."""
    names = list(report["sources"])
    lines = ["| skeletons | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for change, row in report["robust"].items():
        cells = (
            f"{100 * row[n]['right']:.1f} / {100 * row[n]['up_called_down']:.1f}" for n in names
        )
        lines.append(f"| {change} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _data_table(report: dict[str, Any]) -> str:
    lines = [
        "| set | licence | trained on | held out and judged | SHA-256 of the file |",
        "|---|---|---|---|---|",
    ]
    for source, row in report["sources"].items():
        lines.append(
            f"| {source} | {row['licence']} | {row['trained']} | {row['held_out']} "
            f"| {row['sha256'][:16]}... |"
        )
    return "\n".join(lines)


def picture(matrix: npt.NDArray[np.int64]) -> U8:
    """A confusion matrix int64[12, 12] (truth down, answer across) as uint8[H, W, 3] BGR."""
    side = MARGIN_PX + CELL_PX * len(ACTIONS)
    pixels = np.full((side, side, 3), PAPER, np.uint8)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    for (row, column), share in np.ndenumerate(shares):
        x, y = MARGIN_PX + column * CELL_PX, MARGIN_PX + row * CELL_PX
        shade = [round(p + (f - p) * share**0.5) for p, f in zip(PAPER, FULL, strict=True)]
        cv2.rectangle(pixels, (x, y), (x + CELL_PX - 2, y + CELL_PX - 2), shade, -1)
        if matrix[row, column]:
            ink = PAPER if share > 0.4 else INK
            _write(pixels, f"{100 * share:.1f}" if share < 1 else "100", (x + 4, y + 26), ink)
    for i, action in enumerate(ACTIONS):
        _write(pixels, action, (6, MARGIN_PX + i * CELL_PX + 26), INK)
        up = np.full((CELL_PX, MARGIN_PX, 3), PAPER, np.uint8)
        _write(up, action, (6, 26), INK)
        x = MARGIN_PX + i * CELL_PX
        pixels[:MARGIN_PX, x : x + CELL_PX] = cv2.rotate(up, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return pixels


def _write(pixels: U8, text: str, at: tuple[int, int], ink: tuple[int, int, int]) -> None:
    cv2.putText(pixels, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, ink, 1, cv2.LINE_AA)


def main() -> None:
    """Write the package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("int8", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=Path, required=True, help="known failures, for the card")
    arguments = parser.parse_args()
    name, report = arguments.folder.name, json.loads(arguments.report.read_text())
    arguments.folder.mkdir(parents=True, exist_ok=True)
    file = arguments.folder / f"{name}_int8.tflite"
    file.write_bytes(arguments.int8.read_bytes())
    (arguments.folder / "model.toml").write_text(describe(name, file, report))
    notes = arguments.notes.read_text().strip()
    (arguments.folder / "README.md").write_text(card(name, file, report, notes))
    matrix = picture(np.array(report["confusion"], np.int64))
    cv2.imwrite(str(arguments.folder / "confusion.png"), matrix)


if __name__ == "__main__":
    main()
