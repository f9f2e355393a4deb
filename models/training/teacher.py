"""The teacher: YOLOX-nano trained on COCO (Apache-2.0, Megvii), float, on onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.training.boxes import F32, U8, letterbox, suppress

INPUT_PX = 416
STRIDES = (8, 16, 32)
PERSON = 0
NMS_IOU = 0.6
MODEL = "models/yolox_nano_coco/yolox_nano.onnx"


class Teacher:
    """Finds people with the reference network.

    Args:
        data: the shared data folder.
        threads: onnxruntime threads.
    """

    def __init__(self, data: Path, threads: int = 1) -> None:
        import onnxruntime  # the `train` extra; the rest of the package must import without it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(data / MODEL), options)
        self._input = self._session.get_inputs()[0].name
        cells = []
        for stride in STRIDES:
            y, x = np.mgrid[0 : INPUT_PX // stride, 0 : INPUT_PX // stride]
            cells.append(np.stack((x.ravel(), y.ravel(), np.full(x.size, stride)), 1))
        self._cells = np.concatenate(cells).astype(np.float32)

    def find(self, picture: U8, score: float = 0.05) -> F32:
        """People in a picture.

        Args:
            picture: uint8[H, W, 3] BGR.
            score: lowest score to report, 0..1.

        Returns:
            float32[N, 5]: xyxy in pixels of the picture, score; best first.
        """
        canvas, ratio = letterbox(picture, INPUT_PX, INPUT_PX)
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        raw = self._session.run(None, {self._input: tensor})[0][0]
        scores = raw[:, 4] * raw[:, 5 + PERSON]
        keep = scores >= score
        raw, scores, cells = raw[keep], scores[keep], self._cells[keep]
        centre = (raw[:, :2] + cells[:, :2]) * cells[:, 2:]
        half = np.exp(raw[:, 2:4]) * cells[:, 2:] / 2
        boxes = np.concatenate((centre - half, centre + half), 1) / ratio
        height, width = picture.shape[:2]
        boxes = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
        chosen = suppress(boxes, scores, NMS_IOU)
        return np.concatenate((boxes[chosen], scores[chosen, None]), 1).astype(np.float32)
