"""Full-integer int8: calibrate on training pictures, pin ranges that must be round, quantize.

python -m models.training.quantize last.pt CACHE ppe_s_int8.tflite
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.training.boxes import F32, letterbox
from models.training.dataset import TRAIN, Cache
from models.training.export import interpreter, load_student, output_order, to_float_tflite
from models.training.student import HEIGHT_PX, STRIDES, WIDTH_PX

INPUT_RANGE = (-1.0, 127 / 128)
"""Scale 1/128 and zero point 0: the int8 input is the camera's byte with its top bit flipped."""
BOX_RANGE = (-2.56, 2.54)
"""Scale 0.02 and zero point 0 on every stride; reaches from 0.08 to 12.7 strides."""
LOGIT_RANGE = (-8.0, 4.0)
"""Most calibration cells are background: left alone, their average range ends at 0, and no score
could pass 0.5."""
CALIBRATION_PICTURES = 200


def calibration(cache: Cache, count: int, seed: int = 3) -> Iterator[dict[str, F32]]:
    """Training pictures as the camera would give them, letterboxed."""
    rng = np.random.default_rng(seed)
    for i in rng.permutation(cache.where(TRAIN))[:count]:
        canvas, _ = letterbox(cache[int(i)].pixels, WIDTH_PX, HEIGHT_PX, area=False)
        yield {"args_0": ((canvas.astype(np.float32) - 128) / 128)[None]}


def quantize(float_file: Path, int8_file: Path, cache: Cache) -> None:
    """Write the int8 file.

    Args:
        float_file: what `export.to_float_tflite` wrote.
        int8_file: where the result goes.
        cache: calibration pictures come from its training split.
    """
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
    data = {"serving_default": list(calibration(cache, CALIBRATION_PICTURES))}
    ranges = work.calibrate(data, num_threads=1)
    _pin(ranges, float_file)
    int8_file.write_bytes(bytes(work.quantize(ranges).quantized_model))


def _pin(ranges: dict[str, Any], float_file: Path) -> None:
    runner = interpreter(float_file)
    details = runner.get_output_details()
    pins = {runner.get_input_details()[0]["name"]: INPUT_RANGE}
    pins |= {details[i]["name"]: BOX_RANGE for i in output_order(runner)[: len(STRIDES)]}
    pins |= {name: LOGIT_RANGE for name in _logits(runner)}
    for name, (low, high) in pins.items():
        for key, value in (("min", low), ("max", high)):
            ranges[name][key] = np.full_like(np.asarray(ranges[name][key], np.float32), value)


def _logits(runner: Any) -> list[str]:
    """Names of the tensors that go into a sigmoid."""
    names = {d["index"]: d["name"] for d in runner.get_tensor_details()}
    found = [o for o in runner._get_ops_details() if o["op_name"] == "LOGISTIC"]
    return [names[int(op["inputs"][0])] for op in found]


def main() -> None:
    """Convert and quantize a checkpoint from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("int8", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        float_file = Path(folder) / "float.tflite"
        to_float_tflite(load_student(arguments.checkpoint), float_file)
        quantize(float_file, arguments.int8, Cache(arguments.cache))


if __name__ == "__main__":
    main()
