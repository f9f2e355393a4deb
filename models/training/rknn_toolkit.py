"""One ONNX file to one .rknn file for one SoC. Run by the converter's own Python, never imported.

    python -P rknn_toolkit.py JOB.json

All names in the job are relative to its folder. `calibration` is a list of .npy files; `trial`, an
.npz of inputs a0, a1, ..., goes through the converter's simulator; output i of input k is a{k}_{i}
in `answers`. `mean` and `std` are null where the network takes numbers as they are.
"""

import json
import os
import sys
from pathlib import Path


def main() -> None:
    """Convert, and try the result in the simulator."""
    path = Path(sys.argv[1]).resolve()
    job = json.loads(path.read_text())
    os.chdir(path.parent)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # threads would reorder the bytes
    import numpy as np
    from rknn.api import RKNN

    rknn = RKNN(verbose=False)
    scaling = {} if job["mean"] is None else {"mean_values": job["mean"], "std_values": job["std"]}
    _done(rknn.config(target_platform=job["target"], **scaling), "config")
    _done(rknn.load_onnx(job["onnx"]), "load_onnx")
    Path("calibration.txt").write_text("".join(f"{name}\n" for name in job["calibration"]))
    _done(rknn.build(do_quantization=True, dataset="calibration.txt"), "build")
    _done(rknn.export_rknn(job["out"]), "export_rknn")
    if job["trial"]:
        _done(rknn.init_runtime(), "init_runtime")
        answers = {}
        with np.load(job["trial"]) as trial:
            for k in range(len(trial.files)):
                found = rknn.inference(inputs=[trial[f"a{k}"]], data_format=["nchw"])
                answers |= {f"a{k}_{i}": output for i, output in enumerate(found)}
        np.savez(job["answers"], **answers)
    rknn.release()


def _done(code: object, step: str) -> None:
    """The converter returns codes; not 0 is a failure whose reason it has printed."""
    if code not in (None, 0):
        sys.exit(f"{step} failed with {code}")


if __name__ == "__main__":
    main()
