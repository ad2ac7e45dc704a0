"""BasicWriter's layout copied: flat as it is, or one folder per camera as Replicator writes several render products.

flat              OUT/rgb_0000.png ..., OUT/manifest.json, OUT/scenes: the same data set again
render products   OUT/camera_0/rgb/rgb_0000.png ...: frame N of a camera is its view of scene N; box files stand together
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sim.basicwriter import metadata_text
from sim.dataset import Dataset
from sim.formats.exporter import Record, part_per_frame
from sim.manifest import FILE_NAME

_TOGETHER = ("_labels", "_prim_paths", "_semantics_mapping", "_mapping")


class BasicWriterExport:
    """An Exporter; `render_products` splits by camera."""

    def __init__(self, dataset: Dataset, *, render_products: bool = False) -> None:
        self._dataset = dataset
        self._split = render_products
        self.parts = part_per_frame(len(dataset))

    def write_part(self, part: int, folder: Path) -> Record:
        """Copies the files of one frame, each checked against its digest."""
        scene, camera = self._scene_and_camera(part)
        for name, data in self._dataset.files(part):
            path = folder / (product_path(name, camera, scene) if self._split else name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return {}

    def finish(self, folder: Path, _records: Sequence[Record]) -> None:
        """Writes metadata.txt; a flat copy also gets the manifest and the stages, which make it a data set."""
        (folder / "metadata.txt").write_text(metadata_text(self._dataset.manifest.seed))
        if not self._split:
            stages = self._dataset.path / "scenes"
            if stages.is_dir():
                shutil.copytree(stages, folder / "scenes", dirs_exist_ok=True)
            shutil.copyfile(self._dataset.path / FILE_NAME, folder / FILE_NAME)

    def notes(self, _records: Sequence[Record]) -> list[str]:
        """Says what a folder per camera cannot carry."""
        return ["One folder per camera has no manifest and no stages, as Isaac Sim's has none."] if self._split else []

    def _scene_and_camera(self, part: int) -> tuple[int, str]:
        scene, _, camera = self._dataset.names[part].rpartition("/")
        return int(scene.rpartition("/")[2]), camera


def product_path(file_name: str, camera: str, scene: int) -> str:
    """Returns where a file lies in Replicator's layout of several render products, such as camera_0/rgb/rgb_0000.png."""
    stem, _, suffix = file_name.rpartition(".")
    kind = stem.rpartition("_")[0]
    folder = next((kind.removesuffix(end) for end in _TOGETHER if kind.endswith(end)), kind)
    return f"{camera}/{folder}/{kind}_{scene:04d}.{suffix}"
