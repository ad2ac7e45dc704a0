"""A FAKE BasicWriter: the files and folders of the recorded layout, written late, as the real one's queue does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.sim.isaac.api_table import api_table
from tests.sim.isaac.fake_replicator.annotators import annotation
from tests.sim.isaac.fake_replicator.kit import FakeKit

_NOT_ANNOTATORS = ("colorize", "frame_padding", "output_dir", "semantic", "use_common", "image_output", "backend", "pointcloud_")


class FakeBasicWriter:
    """Satisfies the recorded Writer; `lose` names a file kind that never reaches the disk, as a full queue may."""

    lose = ""

    def __init__(self, kit: FakeKit) -> None:
        self._kit = kit
        self._products: list[Any] = []
        self._queue: list[Callable[[], None]] = []
        self._frame = 0

    def initialize(self, **options: Any) -> None:
        unknown = set(options) - set(api_table().writers["BasicWriter"])
        if unknown:
            raise TypeError(f"BasicWriter has no option {sorted(unknown)}")
        self._out = Path(options["output_dir"])
        assert self._out.is_absolute(), "a relative folder would go somewhere else"
        asked = [name for name, value in options.items() if value is True]
        self._kinds = [k for k in asked if k == "semantic_segmentation" or not k.startswith(_NOT_ANNOTATORS)]
        self._frame = 0

    def attach(self, render_products: Any, trigger: Any = None) -> None:
        self._products = list(render_products) if isinstance(render_products, (list, tuple)) else [render_products]
        self._kit.annotators_attached += 1

    def detach(self) -> None:
        if self._products:
            self._kit.annotators_attached -= 1
        self._products = []

    def write(self) -> None:
        if not self._products:
            return
        for product in self._products:
            for kind in self._kinds:
                value = annotation(kind, product.seen, self._kit)
                folder = self._out / product.name / kind if len(self._products) > 1 else self._out
                if kind != self.lose:
                    self._queue.append(lambda f=folder, k=kind, v=value, n=self._frame: _save(f, k, v, n))
        self._frame += 1

    def flush(self) -> None:
        if self._queue:
            self._out.mkdir(parents=True, exist_ok=True)
            (self._out / "metadata.txt").write_text(json.dumps({"name": "BasicWriter", "version": "0.0.2"}))
        for save in self._queue:
            save()
        self._queue.clear()


def _save(folder: Path, kind: str, value: Any, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{number:04d}"
    if kind == "rgb":
        cv2.imwrite(str(folder / f"rgb_{name}.png"), cv2.cvtColor(value, cv2.COLOR_RGBA2BGRA))
    elif kind == "camera_params":
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in value.items()}
        (folder / f"{kind}_{name}.json").write_text(json.dumps(plain))
    elif kind.startswith("distance") or kind == "motion_vectors":
        np.save(folder / f"{kind}_{name}.npy", value)
    elif kind == "occlusion":
        np.save(folder / f"{kind}_{name}.npy", value["data"])
    elif kind == "normals":
        cv2.imwrite(str(folder / f"normals_{name}.png"), ((value * 0.5 + 0.5) * 255).astype(np.uint8))
    elif kind == "pointcloud":
        np.save(folder / f"pointcloud_{name}.npy", value["data"])
        for part in ("Rgb", "Normals", "Semantic", "Instance"):
            np.save(folder / f"pointcloud_{part.lower()}_{name}.npy", value["info"][f"point{part}"])
    elif kind.startswith("bounding_box"):
        np.save(folder / f"{kind}_{name}.npy", value["data"])
        _json(folder / f"{kind}_labels_{name}.json", value["info"]["idToLabels"])
        _json(folder / f"{kind}_prim_paths_{name}.json", value["info"]["primPaths"])
    else:
        cv2.imwrite(str(folder / f"{kind}_{name}.png"), value["data"].astype(np.uint16))
        maps = {"semantic_segmentation": ("labels",), "instance_segmentation": ("mapping", "semantics_mapping")}
        for suffix, key in zip(maps.get(kind, ("mapping",)), ("idToLabels", "idToSemantics"), strict=False):
            _json(folder / f"{kind}_{suffix}_{name}.json", value["info"][key])


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps({str(k): v for k, v in value.items()} if isinstance(value, dict) else value))
