"""Write a student's package: the int8 file, `model.toml` and the model card, from measured numbers.

python -m models.training.package CACHE INT8_FILE REPORT models/students/ppe_s
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from models.training import card, weights
from models.training.dataset import TRAIN, Cache
from models.training.export import interpreter, load_student, output_order
from models.training.kinds import CLASSES, EQUIPMENT_SCORES
from models.training.licences import LICENCES
from models.training.pyramid import parameter_count
from models.training.student import STRIDES, Student

VERSION = "0.3.0"
NMS_IOU = 0.6
TEACHER = "YOLOX-nano COCO (Apache-2.0)"


def _tensor(detail: dict[str, Any]) -> str:
    scale, zero_point = detail["quantization"]
    shape = ", ".join(str(int(n)) for n in detail["shape"])
    kind = detail["dtype"].__name__
    return f'shape = [{shape}]\ndtype = "{kind}"\nscale = {scale!r}\nzero_point = {zero_point}\n'


def describe(name: str, file: Path, cache: Cache, report: dict[str, Any]) -> str:
    """The text of `model.toml`.

    Args:
        name: of the student.
        file: its int8 TFLite file.
        cache: what it was trained on.
        report: what `evaluate` measured.
    """
    runner = interpreter(file)
    details = runner.get_output_details()
    classes = ", ".join(f'"{c}"' for c in CLASSES)
    parts = [
        f'format = 1\nname = "{name}"\nversion = "{VERSION}"\nrole = "detector"\n'
        f'family = "anchor_free"\nlicence = "Apache-2.0"\nclasses = [{classes}]\n'
        f'parameters = {parameter_count(Student())}\nteacher = "{TEACHER}"\n',
        f'[input]\n{_tensor(runner.get_input_details()[0])}colour = "bgr"\n'
        'letterbox = "top_left"\npad_value = 114\n',
        '[decode]\nbox = "ltrb_exp"\nscore = "probability"\n',
        f"[thresholds]\nscore = {report['score']}\nnms_iou = {NMS_IOU}\n"
        f"per_class = {{ {', '.join(f'{c} = {EQUIPMENT_SCORES[c]}' for c in CLASSES[1:])} }}\n",
    ]
    kinds = [(kind, stride) for kind in ("box", "class") for stride in STRIDES]
    by_position = dict(zip(output_order(runner), kinds, strict=True))
    for index, (kind, stride) in sorted(by_position.items()):
        tensor = _tensor(details[index])
        parts.append(f'[[outputs]]\nindex = {index}\nkind = "{kind}"\nstride = {stride}\n{tensor}')
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    parts.append(
        f'[[targets]]\nnpu = "tflite"\nfile = "{file.name}"\nsha256 = "{digest}"\n'
        f"bytes = {len(content)}\n"
    )
    accuracy = "".join(f"{key} = {value:.4f}\n" for key, value in card.accuracy(report).items())
    parts.append(f"[accuracy]\n{accuracy}")
    for source, licence in LICENCES.items():
        images = len(cache.where(TRAIN, source))
        if images:
            parts.append(
                f'[[training_data]]\nname = "{source}"\nlicence = "{licence}"\nimages = {images}\n'
            )
    return "\n".join(parts)


def main() -> None:
    """Write the package from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=Path, help="Markdown about known failures, for the card")
    parser.add_argument("--checkpoint", type=Path, help="keep its float weights in the package")
    arguments = parser.parse_args()
    name, cache = arguments.folder.name, Cache(arguments.cache)
    report = json.loads(arguments.report.read_text())
    if arguments.notes:
        report["notes"] = arguments.notes.read_text().format(score=report["score"]).strip()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    file = arguments.folder / f"{name}_int8.tflite"
    file.write_bytes(arguments.int8.read_bytes())
    if arguments.checkpoint:
        weights.keep(load_student(arguments.checkpoint), arguments.folder / weights.FILE)
    (arguments.folder / "model.toml").write_text(describe(name, file, cache, report))
    (arguments.folder / "README.md").write_text(card.write(name, file, cache, report))


if __name__ == "__main__":
    main()
