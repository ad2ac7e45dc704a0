"""What is in a data set: figures over all of its frames and a contact sheet of some of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from scenes.transforms import inverse
from sim.dataset import Dataset
from sim.frame import Frame, ObjectTruth
from sim.manifest import Manifest
from sim.pictures import (
    Image,
    blend,
    contact_sheet,
    depth_colours,
    depth_range,
    draw_box_edges,
    instance_colour,
    instance_colours,
    png_bytes,
    semantic_colours,
)

_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Figures of a data set.

    `objects` counts records per category over all frames and `pixels` the share of pixels, 0..1; the histogram counts
    visible fractions in ten equal bins of 0..1; `depth_range_m` is the least and the largest finite depth, None where
    no pixel has one.
    """

    suite: str
    split: str
    seed: int
    size: tuple[int, int]
    frames: int
    scenes: int
    rejected: dict[str, int]
    size_bytes: int
    objects: dict[str, int]
    pixels: dict[str, float]
    objects_per_frame: tuple[int, int]
    visible_fraction_histogram: tuple[int, ...]
    depth_range_m: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def inspect_dataset(
    path: Path | str, out_png: Path | str, *, frames: int = 8, labels: Path | None = None
) -> Statistics:
    """Reads every frame once, writes a contact sheet of up to `frames` of them, evenly spread, and returns the figures.

    `labels` maps the labels of another tool's data set to our categories, see Dataset.open.
    """
    dataset = Dataset.open(path, labels=labels)
    rows = min(max(frames, 1), len(dataset))
    shown = {int(i) for i in np.linspace(0, len(dataset) - 1, rows).round()}
    tally = _Tally()
    cells: list[Image] = []
    captions: list[str] = []
    for number, frame in enumerate(dataset):
        tally.add(frame)
        if number in shown:
            cells += frame_pictures(frame)
            captions += _labels(frame)
    sheet = contact_sheet(cells, columns=len(cells) // rows, labels=captions)
    try:
        Path(out_png).write_bytes(png_bytes(sheet))
    except OSError as error:
        raise DatasetError(f"Cannot write the contact sheet {out_png}: {error.strerror}.") from error
    return tally.statistics(dataset.manifest)


def frame_pictures(frame: Frame) -> list[Image]:
    """Returns a frame as five pictures: image, semantic, instance, depth, and the 3D boxes of what shows on the image."""
    truth = frame.truth
    return [
        frame.rgb,
        blend(frame.rgb, semantic_colours(truth.semantic), 0.75),
        blend(frame.rgb, instance_colours(truth.instance), 0.75),
        depth_colours(truth.depth_m),
        draw_truth_boxes(frame),
    ]


def draw_truth_boxes(frame: Frame) -> Image:
    """Returns the image with the 3D box of every object that shows at least one pixel."""
    camera_from_world = inverse(frame.camera.world_from_camera.matrix())
    drawn = frame.rgb
    thickness = max(1, round(frame.camera.width / 320))
    for record in frame.truth.objects:
        if record.has_box and _shows(frame, record):
            box_camera = record.box_world.moved(camera_from_world)
            colour = instance_colour(record.instance_id)
            drawn = draw_box_edges(drawn, frame.camera, box_camera, colour, thickness_px=thickness)
    return drawn


def _shows(frame: Frame, record: ObjectTruth) -> bool:
    """Returns whether an object shows a pixel; without any masks (data sets of other tools) all but the hidden ones do."""
    without_masks = not frame.truth.instance.any()
    return record.visible_box_px is not None or (without_masks and record.visible_fraction != 0)


def _labels(frame: Frame) -> list[str]:
    low, high = depth_range(frame.truth.depth_m)
    known = bool(np.isfinite(frame.truth.depth_m).any())
    return [frame.name, "semantic", "instance", f"depth {low:.2f} to {high:.2f} m" if known else "no depth", "3D boxes"]


class _Tally:
    """Sums over frames, in one pass, holding no frame."""

    def __init__(self) -> None:
        self._scenes: set[str] = set()
        self._objects: Counter[int] = Counter()
        self._per_frame: list[int] = []
        self._pixels = np.zeros(256, dtype=np.int64)
        self._visible = np.zeros(_BINS, dtype=np.int64)
        self._depth = (np.inf, -np.inf)

    def add(self, frame: Frame) -> None:
        """Counts one frame."""
        truth = frame.truth
        self._scenes.add(frame.name.rpartition("/")[0])
        self._objects.update(record.category_id for record in truth.objects)
        self._per_frame.append(len(truth.objects))
        self._pixels += np.bincount(truth.semantic.reshape(-1), minlength=256)
        for record in (r for r in truth.objects if np.isfinite(r.visible_fraction)):
            self._visible[min(int(record.visible_fraction * _BINS), _BINS - 1)] += 1
        finite = truth.depth_m[np.isfinite(truth.depth_m)]
        if finite.size:
            self._depth = min(self._depth[0], float(finite.min())), max(self._depth[1], float(finite.max()))

    def statistics(self, manifest: Manifest) -> Statistics:
        """Returns the figures of all frames that were counted."""
        total = int(self._pixels.sum())
        return Statistics(
            suite=manifest.suite,
            split=manifest.split,
            seed=manifest.seed,
            size=manifest.size,
            frames=len(self._per_frame),
            scenes=len(self._scenes),
            rejected=manifest.rejected,
            size_bytes=sum(entry.size_bytes for entry in manifest.frames),
            objects={c.name: self._objects[c.id] for c in TAXONOMY.things},
            pixels={c.name: int(self._pixels[c.id]) / total for c in TAXONOMY},
            objects_per_frame=(min(self._per_frame), max(self._per_frame)),
            visible_fraction_histogram=tuple(int(n) for n in self._visible),
            depth_range_m=self._depth if self._depth[0] <= self._depth[1] else None,
        )
