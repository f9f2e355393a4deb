"""The detector's card: plain words from a template, tables from measured numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.training.dataset import HELD_OUT, TRAIN, Cache
from models.training.kinds import CLASSES, EQUIPMENT_SCORES
from models.training.licences import LABELS, LICENCES
from models.training.metrics import share_range
from models.training.pyramid import parameter_count
from models.training.student import Student

TEMPLATE = Path(__file__).with_name("card_template.md")
TITLES = {
    "synthetic": "drawn scenes, random looks",
    "simulated": "simulated sites, unseen worlds",
    "drawn_room": "the synthetic camera's own room, unseen seeds",
    "acceptance": "acceptance clip (agreement with the teacher)",
    "helmet_sites_turned": "helmet_sites, copies turned by 45 degrees",
}


def accuracy(report: dict[str, Any]) -> dict[str, float]:
    """Numbers for `[accuracy]` of model.toml: int8, held out."""
    numbers = {}
    for name in CLASSES:
        for source, row in report["int8"][name].items():
            numbers[f"{name}_ap50_{source}"] = row["ap50"]
    for posture, row in report["int8"]["postures"].items():
        numbers[f"recall_{posture}"] = row["found"] / max(row["there"], 1)
    return numbers


def _share(count: int, total: int) -> str:
    low, high = share_range(count, total)
    return f"{count}/{total} ({low:.0%}-{high:.0%})" if total else "-"


def _rows(report: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Class, set and figures of the int8 file."""
    return [(name, source, row) for name in CLASSES for source, row in report["int8"][name].items()]


def _ap_table(report: dict[str, Any]) -> str:
    lines = [
        "| class | set | pictures | there | AP50 int8 (95 %) | labels alone | float | teacher |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, source, row in _rows(report):
        low, high = row["ap50_range"]
        plain = f"{row['ap50_plain']:.3f}" if "ap50_plain" in row else "-"
        beside = report.get("teacher", {}).get(name, {}).get(source)
        shown = beside and source not in ("helmet_sites", "acceptance")
        teacher = f"{beside['ap50']:.3f}" if shown else "-"
        lines.append(
            f"| {name} | {TITLES.get(source, source)} | {row['pictures']} | {row['there']} "
            f"| {row['ap50']:.3f} ({low:.2f}-{high:.2f}) | {plain} "
            f"| {report['float'][name][source]['ap50']:.3f} | {teacher} |"
        )
    return "\n".join(lines)


def _threshold_table(report: dict[str, Any]) -> str:
    lines = [
        "| class | set | found | false boxes | empty pictures with a false box |",
        "|---|---|---|---|---|",
    ]
    for name, source, row in _rows(report):
        lines.append(
            f"| {name} | {TITLES.get(source, source)} | {_share(row['found'], row['there'])} "
            f"| {row['false']} in {row['pictures']} "
            f"| {_share(row['empty_with_false'], row['empty_pictures'])} |"
        )
    return "\n".join(lines)


def _posture_table(report: dict[str, Any]) -> str:
    lines = ["| posture | int8 | float | teacher |", "|---|---|---|---|"]
    for posture, row in report["int8"]["postures"].items():
        cells = [_share(row["found"], row["there"])]
        for other in ("float", "teacher"):
            beside = report.get(other, {}).get("postures", {}).get(posture)
            cells.append(_share(beside["found"], beside["there"]) if beside else "-")
        lines.append(f"| {posture} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _worker(report: dict[str, Any]) -> str:
    row = report["int8"]["worker"]
    return (
        "The worker beside the marked zone (Intel sample, worker-zone-detection): of "
        f"{row['frames']} frames with the whole person in view, the person is found in "
        f"{row['person']}, the helmet in {row['helmet']}, the vest in {row['vest']}, "
        f"helmet and vest together in {row['helmet_and_vest']}."
    )


def _data_table(cache: Cache) -> str:
    lines = ["| set | licence | labels used | trained on | held out |", "|---|---|---|---|---|"]
    for source, licence in LICENCES.items():
        counts = [len(cache.where(split, source)) for split in (TRAIN, HELD_OUT)]
        if any(counts):
            lines.append(f"| {source} | {licence} | {LABELS[source]} | {counts[0]} | {counts[1]} |")
    return "\n".join(lines)


def write(name: str, file: Path, cache: Cache, report: dict[str, Any]) -> str:
    """The card's text, Markdown."""
    return TEMPLATE.read_text().format(
        name=name,
        file=file.name,
        kilobytes=round(file.stat().st_size / 1000),
        parameters=parameter_count(Student()),
        score=report["score"],
        equipment_scores=", ".join(f"{c} {s}" for c, s in EQUIPMENT_SCORES.items()),
        best_ms=report["invoke_ms"]["best"],
        median_ms=report["invoke_ms"]["median"],
        share=report["invoke_ms"]["share_of_reference"],
        memory=report.get("memory", "not measured"),
        ap_table=_ap_table(report),
        threshold_table=_threshold_table(report),
        posture_table=_posture_table(report),
        worker=_worker(report),
        data_table=_data_table(cache),
        notes=report.get("notes", ""),
    )
