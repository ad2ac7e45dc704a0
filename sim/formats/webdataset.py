"""WebDataset shards: plain tar files whose members of one key are one frame, in order, with the same bytes every time.

    OUT/shard-000000.tar    000000.rgb.png, 000000.distance_to_image_plane.npy, ...: a frame's files, key before the first dot
    OUT/index.json          the shards with samples, sizes and md5 (WIDS index, version 1), and what the data set is
    OUT/manifest.json       the manifest of the data set, unchanged

Every file of a frame goes in as it is, after its sha256 was checked; nothing is lost but the stages.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

from sim.basicwriter import kind_of
from sim.dataset import Dataset
from sim.formats.exporter import Record
from sim.manifest import FILE_NAME


class WebDatasetExport:
    """An Exporter with `shard_frames` frames to a shard, fewer in the last one."""

    def __init__(self, dataset: Dataset, *, shard_frames: int = 250) -> None:
        self._dataset = dataset
        count = len(dataset)
        self.parts = [range(k, min(k + shard_frames, count)) for k in range(0, count, shard_frames)]

    def write_part(self, part: int, folder: Path) -> Record:
        """Writes one shard."""
        path = folder / f"shard-{part:06d}.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for number in self.parts[part]:
                for name, data in sorted(self._dataset.files(number)):
                    member = tarfile.TarInfo(member_name(number, name))
                    member.size, member.mode = len(data), 0o644  # time, owner and group stay 0 and empty
                    tar.addfile(member, io.BytesIO(data))
        samples = len(self.parts[part])
        return {"url": path.name, "nsamples": samples, "filesize": path.stat().st_size, "md5sum": _md5(path)}

    def finish(self, folder: Path, records: Sequence[Record]) -> None:
        """Writes the index and the manifest."""
        m = self._dataset.manifest
        index = {
            "__kind__": "wids-shard-index-v1", "wids_version": 1,
            "name": f"{m.suite}-v{m.suite_version}/{m.split}/seed{m.seed}", "shardlist": list(records),
        }  # fmt: skip
        (folder / "index.json").write_text(json.dumps(index, indent=1))
        shutil.copyfile(self._dataset.path / FILE_NAME, folder / FILE_NAME)

    def notes(self, _records: Sequence[Record]) -> list[str]:
        """Says that the stages stay behind."""
        return ["The shards hold every file of every frame; the OpenUSD stages are not frames and stay behind."]


def member_name(number: int, file_name: str) -> str:
    """Returns `KEY.KIND.SUFFIX`, such as 000007.rgb.png, for a frame's file, such as rgb_0007.png, in whatever folder."""
    return f"{number:06d}.{kind_of(file_name)}"


def _md5(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
    return md5.hexdigest()
