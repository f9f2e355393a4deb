"""Load an int8 file and invoke it once, in whichever runtime this Python has; exit code 1 if not.

    python -P smoke_load.py FILE.tflite

Runs in other virtual environments than training's, so it needs nothing but numpy and a runtime.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

import numpy as np

RUNTIMES = ("ai_edge_litert", "tflite_runtime")


def check(runtime: str, path: str) -> str:
    """Invoke on noise, twice; the outputs must be alive and the same both times."""
    module = import_module(f"{runtime}.interpreter")
    interpreter = module.Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    into, outputs = interpreter.get_input_details()[0], interpreter.get_output_details()
    kinds = {str(np.dtype(d["dtype"])) for d in (into, *outputs)}
    if kinds != {"int8"}:
        sys.exit(f"{runtime}: tensors are {sorted(kinds)}, must be int8")
    noise = np.random.default_rng(0).integers(-128, 128, into["shape"], np.int8)
    results = []
    for _ in range(2):
        interpreter.set_tensor(into["index"], noise)
        interpreter.invoke()
        results.append([interpreter.get_tensor(d["index"]).copy() for d in outputs])
    if not all(np.array_equal(a, b) for a, b in zip(*results, strict=True)):
        sys.exit(f"{runtime}: two runs on one input differ")
    if all(len(np.unique(a)) == 1 for a in results[0]):
        sys.exit(f"{runtime}: every output is one constant")
    return f"{path}: {runtime} loads it, {len(outputs)} outputs, all int8"


def main() -> None:
    """Try every runtime that is there."""
    there = [name for name in RUNTIMES if find_spec(name)]
    if not there:
        sys.exit(f"none of {', '.join(RUNTIMES)} is installed")
    for runtime in there:
        print(check(runtime, sys.argv[1]))


if __name__ == "__main__":
    main()
