"""The whole perception of one image: engine, post-processing and boxes, with the time of each stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perception.boxes3d import fit_boxes
from perception.calibration import DepthCalibration
from perception.engine import Engine
from perception.grouping import GroupingSpec
from perception.postprocess import panoptic_depth
from perception.prediction import Prediction
from perception.preprocess import network_input
from scenes.distortion import Distortion
from scenes.errors import EngineError, UnknownNameError
from scenes.taxonomy import TAXONOMY


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTimes:
    """How long each stage of one image took, in seconds of the monotonic clock."""

    preprocess_s: float
    infer_s: float
    postprocess_s: float
    boxes_s: float

    @property
    def total_s(self) -> float:
        """The sum of the stages."""
        return self.preprocess_s + self.infer_s + self.postprocess_s + self.boxes_s


class Perceiver:
    """Maps images to predictions with one engine; like the engine, it serves one thread at a time."""

    def __init__(
        self, engine: Engine, spec: GroupingSpec | None = None, *, calibration: DepthCalibration | None = None
    ) -> None:
        """Takes the engine's own depth calibration unless given another.

        Raises EngineError where the engine knows a category that the taxonomy does not.
        """
        self.engine = engine
        self._calibration = calibration or engine.metadata.calibration
        self.spec = spec or GroupingSpec()
        self._taxonomy_id = _taxonomy_ids(engine)

    def perceive(
        self,
        rgb: NDArray[np.uint8],
        *,
        fx: float,
        fy: float,
        cx: float,
        cy: float,
        distortion: Distortion | None = None,
    ) -> Prediction:
        """Returns the prediction for uint8 RGB (H, W, 3) seen by a camera with those intrinsics, in pixels of `rgb`.

        `distortion` is its lens, None for a pinhole: points are where the pixels' own rays lead. The network itself sees
        the image as it is.
        """
        return self.perceive_timed(rgb, fx=fx, fy=fy, cx=cx, cy=cy, distortion=distortion)[0]

    def perceive_timed(
        self,
        rgb: NDArray[np.uint8],
        *,
        fx: float,
        fy: float,
        cx: float,
        cy: float,
        distortion: Distortion | None = None,
    ) -> tuple[Prediction, StageTimes]:
        """Returns the prediction and how long each stage took."""
        metadata = self.engine.metadata
        started = time.perf_counter()
        image = network_input(rgb, metadata.input_size)
        prepared = time.perf_counter()
        raw = self.engine.infer(image)
        inferred = time.perf_counter()
        height, width = rgb.shape[:2]
        rows, stride = raw.depth.shape[-2], metadata.input_size[0] // raw.depth.shape[-2]
        row_px = np.arange(rows) * stride + (stride - 1) / 2
        cy_px = (cy + 0.5) * metadata.input_size[0] / height - 0.5
        focal_px = fx * metadata.input_size[1] / width
        scale = self._calibration.scale(focal_px, metadata.reference_focal_px, row_px - cy_px)
        flat = panoptic_depth(
            raw,
            taxonomy_id=self._taxonomy_id,
            size=(height, width),
            depth_scale=scale[:, None],
            spec=self.spec,
            intrinsics=(fx, fy, cx, cy),
            distortion=distortion,
        )
        processed = time.perf_counter()
        category_of = {segment.id: segment.category_id for segment in flat.segments}
        boxes = fit_boxes(
            flat.segment_id, category_of, flat.depth_m, fx=fx, fy=fy, cx=cx, cy=cy, distortion=distortion
        )
        segments = tuple(replace(segment, box_camera=boxes.get(segment.id)) for segment in flat.segments)
        prediction = replace(flat, segments=segments)
        times = StageTimes(
            preprocess_s=prepared - started, infer_s=inferred - prepared, postprocess_s=processed - inferred,
            boxes_s=time.perf_counter() - processed,
        )  # fmt: skip
        return prediction, times


def _taxonomy_ids(engine: Engine) -> NDArray[np.uint8]:
    """Returns the table uint8 (256,) from the engine's category ids to the taxonomy's, by name; the rest is void."""
    table = np.zeros(256, dtype=np.uint8)
    names = engine.metadata.categories
    if len(names) > len(table):
        raise EngineError(f"The engine {engine.metadata.network!r} has {len(names)} categories; at most {len(table)} fit.")
    try:
        table[: len(names)] = [TAXONOMY.named(name).id for name in names]
    except UnknownNameError as error:
        raise EngineError(f"The engine {engine.metadata.network!r} has a category that no suite has. {error}") from error
    return table
