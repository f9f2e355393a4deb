"""The model card: plain words from a template, tables from measured numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.training.dataset import HELD_OUT, TRAIN, Cache
from models.training.evaluate import BY_TEACHER, LABELLED
from models.training.licences import LABELS, LICENCES
from models.training.metrics import share_range
from models.training.student import Student, parameter_count

TEMPLATE = Path(__file__).with_name("card_template.md")
ROWS = (*LABELLED, *BY_TEACHER, "drawn_room", "acceptance")
NOT_REALLY_EMPTY = ("helmet_sites",)
"""Where the teacher sees nobody there, heads are labelled all the same."""
TITLES = {
    "synthetic": "drawn scenes, random looks",
    "drawn_room": "the synthetic camera's own room, unseen seeds",
    "acceptance": "acceptance clip (agreement with the teacher)",
    "helmet_sites": "helmet_sites (agreement with the teacher)",
    "gmdcsa24": "gmdcsa24, two unseen clips (agreement with the teacher)",
}


def accuracy(report: dict[str, Any]) -> dict[str, float]:
    """Numbers for `[accuracy]` of model.toml: int8, held out."""
    rows, numbers = report["int8"], {}
    for source in LABELLED:
        numbers[f"ap50_{source}"] = rows[source]["ap50"]
    for source in BY_TEACHER:
        numbers[f"agreement_ap50_{source}"] = rows[source]["ap50"]
    for name in ("drawn_room", "acceptance"):
        row = rows[name]
        numbers[f"{name}_ap50"] = row["ap50"]
        numbers[f"{name}_recall"] = row["found"] / max(row["people"], 1)
        numbers[f"{name}_false_per_picture"] = row["false"] / row["pictures"]
        numbers[f"{name}_empty_with_false"] = row["empty_with_false"] / max(
            row["empty_pictures"], 1
        )
    return numbers


def _share(count: int, total: int) -> str:
    low, high = share_range(count, total)
    return f"{count}/{total} ({low:.0%}-{high:.0%})" if total else "-"


def _ap_table(report: dict[str, Any]) -> str:
    lines = [
        "| set | pictures | people | AP50 int8 (95 %) | float | teacher |",
        "|---|---|---|---|---|---|",
    ]
    for source in ROWS:
        row, low_high = report["int8"][source], report["int8"][source]["ap50_range"]
        beside = report["teacher"].get(source)
        teacher = f"{beside['ap50']:.3f}" if beside and source not in BY_TEACHER else "-"
        lines.append(
            f"| {TITLES.get(source, source)} | {row['pictures']} | {row['people']} "
            f"| {row['ap50']:.3f} ({low_high[0]:.2f}-{low_high[1]:.2f}) "
            f"| {report['float'][source]['ap50']:.3f} | {teacher} |"
        )
    return "\n".join(lines)


def _threshold_table(report: dict[str, Any]) -> str:
    lines = [
        "| set | people found | false boxes | empty pictures with a false box |",
        "|---|---|---|---|",
    ]
    for source in ROWS:
        row = report["int8"][source]
        empty = 0 if source in NOT_REALLY_EMPTY else row["empty_pictures"]
        lines.append(
            f"| {TITLES.get(source, source)} | {_share(row['found'], row['people'])} "
            f"| {row['false']} in {row['pictures']} "
            f"| {_share(row['empty_with_false'], empty)} |"
        )
    return "\n".join(lines)


def _data_table(cache: Cache) -> str:
    lines = ["| set | licence | people from | trained on | held out |", "|---|---|---|---|---|"]
    for source, licence in LICENCES.items():
        counts = [len(cache.where(split, source)) for split in (TRAIN, HELD_OUT)]
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
        best_ms=report["invoke_ms"]["best"],
        median_ms=report["invoke_ms"]["median"],
        ap_table=_ap_table(report),
        threshold_table=_threshold_table(report),
        data_table=_data_table(cache),
        notes=report.get("notes", ""),
    )
