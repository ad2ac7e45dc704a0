"""YOLO segmentation (Ultralytics' layout): one line per object, `class u v u v ...`, corners as fractions of the image.

    OUT/images/SPLIT/000000.png    RGB
    OUT/labels/SPLIT/000000.txt    one line per object that shows a pixel; empty where there is none
    OUT/data.yaml                  the paths and the class names, numbered from 0

An object in several parts is one polygon whose parts hang together by lines of no width, as the usual converters do it,
so that its box is right. Holes are filled. The outline runs along pixel edges: u = 0 is the left edge of the image.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scenes.taxonomy import TAXONOMY
from sim._png import encode_rgba
from sim.dataset import Dataset
from sim.formats.exporter import Record, part_per_frame
from sim.formats.outline import Loop, Outlines, outlines, simplified

TOLERANCE_PX = 0.75


class YoloExport:
    """An Exporter."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._class_of = {category.id: k for k, category in enumerate(TAXONOMY.things)}
        self.parts = part_per_frame(len(dataset))

    def write_part(self, part: int, folder: Path) -> Record:
        """Writes the image and the labels of one frame."""
        frame = self._dataset[part]
        size = np.array([frame.camera.width, frame.camera.height], dtype=np.float64)
        lines, holes, pieces = [], 0, 0
        for record in frame.truth.objects:
            if record.visible_box_px is None:
                continue
            found = outlines(frame.truth.instance == record.instance_id)
            corners = (one_loop(found) / size).reshape(-1)
            lines.append(f"{self._class_of[record.category_id]} {' '.join(f'{value:.6f}' for value in corners)}\n")
            holes, pieces = holes + bool(found.holes), pieces + (len(found.parts) > 1)
        split = self._dataset.manifest.split
        for kind, name, data in (
            ("images", f"{part:06d}.png", encode_rgba(frame.rgb)),
            ("labels", f"{part:06d}.txt", "".join(lines).encode()),
        ):
            (folder / kind / split).mkdir(parents=True, exist_ok=True)
            (folder / kind / split / name).write_bytes(data)
        return {"holes": holes, "pieces": pieces}

    def finish(self, folder: Path, _records: Sequence[Record]) -> None:
        """Writes data.yaml."""
        split = self._dataset.manifest.split
        names = [f"  {k}: {json.dumps(category.name)}\n" for k, category in enumerate(TAXONOMY.things)]
        (folder / "data.yaml").write_text(
            f"# One split only; `train` and `val` both name it because the reader wants both: put another data set's beside it.\n"
            f"path: .\ntrain: images/{split}\nval: images/{split}\nnames:\n{''.join(names)}"
        )

    def notes(self, records: Sequence[Record]) -> list[str]:
        """Says what YOLO has no place for, with counts."""
        holes, pieces = sum(r["holes"] for r in records), sum(r["pieces"] for r in records)
        return [
            "YOLO has no place for stuff, depth, 3D boxes, cameras and wholly hidden objects: they are left out.",
            f"{holes} objects have holes, which are filled; {pieces} are in several parts, joined by lines of no width.",
        ]


def one_loop(found: Outlines) -> Loop:
    """Returns one closed loop over all parts, float64 (n, 2): each part is entered and left by the same line."""
    loops = [simplified(loop, TOLERANCE_PX) for loop in found.parts]
    joined = loops[0]
    for loop in loops[1:]:
        distance = np.linalg.norm(joined[:, None] - loop[None], axis=-1)
        i, j = np.unravel_index(int(distance.argmin()), distance.shape)
        around = np.concatenate([np.roll(loop, -j, axis=0), loop[j : j + 1], joined[i : i + 1]])
        joined = np.concatenate([joined[: i + 1], around, joined[i + 1 :]])
    return joined
