"""BasicWriter's layout copied: flat as it is, or one folder per camera as Replicator writes several render products.

flat              OUT/rgb_0000.png ..., OUT/manifest.json, OUT/scenes: the same data set again
render products   OUT/camera_0/rgb/rgb_0000.png ...: frame N of a camera is its view of scene N; box files stand together;
                  in sequences of L frame L N + k is its k-th, of a pair each eye has a folder, camera_0_left and camera_0_right
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sim.basicwriter import kind_of, metadata_text
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
        camera, number = self._camera_and_number(part)
        for name, data in self._dataset.files(part):
            path = folder / (product_path(name, camera, number) if self._split else name)
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

    def _camera_and_number(self, part: int) -> tuple[str, int]:
        """Returns the folder of a frame, such as camera_0 or camera_0_right, and which of its frames it is."""
        scene, _, name = self._dataset.names[part].rpartition("/")
        camera, *more = name.split("-")
        moment = next((int(m) for m in more if m.isdecimal()), 0)
        number = int(scene.rpartition("/")[2]) * int(self._dataset.manifest.capture["sequence"]) + moment
        return "_".join([camera, *(m for m in more if not m.isdecimal())]), number


def product_path(file_name: str, camera: str, number: int) -> str:
    """Returns where a file lies in Replicator's layout of several render products, such as camera_0/rgb/rgb_0000.png."""
    kind, _, suffix = kind_of(file_name).rpartition(".")
    folder = next((kind.removesuffix(end) for end in _TOGETHER if kind.endswith(end)), kind)
    return f"{camera}/{folder}/{kind}_{number:04d}.{suffix}"
