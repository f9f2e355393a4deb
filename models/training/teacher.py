"""The teacher: YOLOX-nano trained on COCO (Apache-2.0, Megvii), float, on onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.training.boxes import F32, U8, iou, letterbox, suppress

INPUT_PX = 416
STRIDES = (8, 16, 32)
PERSON = 0
NMS_IOU = 0.6
PARTS = ((0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.4, 0.4), (0.2, 0.2))
"""Left and top edges of the enlarged parts, as shares of the picture."""
PART = 0.6
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

    def find_well(self, picture: U8, close: bool, score: float = 0.05) -> F32:
        """People, from several looks: as it is, mirrored, and at enlarged parts.

        Args:
            picture: uint8[H, W, 3] BGR.
            close: look at parts too.
            score: lowest score to report, 0..1.

        Returns:
            As `find`. A box that both whole looks find has the mean of its two scores; one that
            only one of them finds has half; what a part adds was found there whole.
        """
        width = picture.shape[1]
        mirrored = self.find(np.ascontiguousarray(picture[:, ::-1]), score / 2)
        mirrored[:, [0, 2]] = width - mirrored[:, [2, 0]]
        found = _mean(self.find(picture, score / 2), mirrored)
        looks = [found]
        if close:
            looks += [self._part(picture, left, top, score) for left, top in PARTS]
        every = np.concatenate(looks)
        every = every[every[:, 4] >= score]
        kept = suppress(every[:, :4], every[:, 4], NMS_IOU)
        best: F32 = every[kept]
        return best

    def _part(self, picture: U8, left: float, top: float, score: float) -> F32:
        """People wholly inside one part."""
        height, width = picture.shape[:2]
        x, y = round(left * width), round(top * height)
        wide, tall = round(PART * width), round(PART * height)
        found = self.find(np.ascontiguousarray(picture[y : y + tall, x : x + wide]), score)
        edge = 3.0
        whole = (x == 0) | (found[:, 0] > edge)
        whole &= (y == 0) | (found[:, 1] > edge)
        whole &= (x + wide >= width) | (found[:, 2] < wide - edge)
        whole &= (y + tall >= height) | (found[:, 3] < tall - edge)
        found[:, :4] += (x, y, x, y)
        kept: F32 = found[whole]
        return kept


def _mean(a: F32, b: F32) -> F32:
    """Rows of both, matched ones joined, scores averaged with 0 for who did not see it."""
    overlaps = iou(a[:, :4], b[:, :4])
    rows, taken = [], np.zeros(len(b), bool)
    for i in range(len(a)):
        overlap = np.where(taken, 0.0, overlaps[i]) if len(b) else np.zeros(1)
        j = int(overlap.argmax())
        if overlap[j] >= NMS_IOU:
            taken[j] = True
            rows.append((a[i] + b[j]) / 2)
        else:
            rows.append(a[i] * (1, 1, 1, 1, 0.5))
    alone = b[~taken] * (1, 1, 1, 1, 0.5)
    return np.concatenate((np.array(rows, np.float32).reshape(-1, 5), alone)).astype(np.float32)
