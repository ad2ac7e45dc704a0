"""A browser of a data set as one folder that opens from the disk: no network, no server, no script of anyone else.

    OUT/index.html     the page: its style and scripts are inside
    OUT/data.js        one short row per object of every frame, and the figures of the data set
    OUT/thumbs/ layers/ details/    a thumbnail, the pictures of every annotator and the outlines of each frame

The folder is made beside its place and put there whole; a browser that is there already is replaced, anything else is not.
"""

from __future__ import annotations

import html
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import DatasetError
from scenes.taxonomy import TAXONOMY
from sim._progress import Progress, reporting
from sim.basicwriter import kind_of, npy_bytes
from sim.browser.layers import Layer, draw_layer, jpeg_bytes, layers_of
from sim.browser.records import DEPTH_EDGES_M, depth_counts, frame_detail, frame_rows
from sim.dataset import Dataset
from sim.frame import Frame
from sim.manifest import Manifest

_MARK = "<!-- a data set in Rehearse's browser -->"
_SCRIPTS = ("state.js", "charts.js", "grid.js", "viewer.js", "start.js")
_THUMB_PX = 240
# What a frame without files can be shown as, by the subject under which `Dataset.absent` would say that it is not there.
_FRAME_ONLY = {
    "rgb_0000.png": "", "distance_to_image_plane_0000.npy": "depth", "semantic_segmentation_0000.png": "semantic labels",
    "instance_segmentation_0000.png": "instances",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSummary:
    """What was written: the page to open, the frames, the annotators that can be looked at, and the size on disk."""

    page: str
    frames: int
    layers: tuple[str, ...]
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)


def write_browser(
    dataset: Path | str, out: Path | str, *, progress: bool | Progress = False, labels: Path | None = None
) -> BrowserSummary:
    """Writes the browser of a data set into the folder `out`; reads every frame once and holds one at a time.

    Raises DatasetError where the data set cannot be read or `out` holds something else.
    """
    opened, folder = Dataset.open(dataset, labels=labels), Path(out).absolute()
    _assert_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as place:
            staging = Path(place) / folder.name
            layers = _write_folder(opened, staging, progress)
            shutil.rmtree(folder, ignore_errors=True)
            staging.replace(folder)
    except OSError as error:
        raise DatasetError(f"Cannot write the browser {folder}: {error.strerror or error}.") from error
    return BrowserSummary(
        page=str(folder / "index.html"),
        frames=len(opened),
        layers=tuple(layer.name for layer in layers),
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _write_folder(dataset: Dataset, folder: Path, progress: bool | Progress) -> list[Layer]:
    found = layers_of(_file_names(dataset))
    used: dict[str, Layer] = {}
    rows, depth = [], np.zeros(len(DEPTH_EDGES_M) - 1, dtype=np.int64)
    for part in ("thumbs", "details", *(f"layers/{layer.kind}" for layer in found)):
        (folder / part).mkdir(parents=True)
    with reporting(progress, done=0, total=len(dataset), unit="frame") as advance:
        for number, frame in enumerate(dataset):
            notes = _write_layers(dataset, frame, number, found, folder, used)
            (folder / f"thumbs/{number:04d}.jpg").write_bytes(jpeg_bytes(_thumb(frame), quality=80))
            detail = json.dumps(frame_detail(frame, notes), separators=(",", ":"))
            (folder / f"details/{number:04d}.js").write_text(f"Browser.detail({number},{detail})", encoding="utf-8")
            rows.append({"name": frame.name, "objects": frame_rows(frame)})
            depth += depth_counts(frame)
            advance(1)
    layers = [used[layer.kind] for layer in found if layer.kind in used]
    data = _data(dataset.manifest, layers, rows, depth)
    (folder / "data.js").write_text(f"Browser.data({json.dumps(data, separators=(',', ':'))})", encoding="utf-8")
    (folder / "index.html").write_text(_page(dataset), encoding="utf-8")
    return layers


def _file_names(dataset: Dataset) -> list[str]:
    """Returns the names of all pictures; where no manifest lists any (another tool's data set), those that frames would have."""
    listed = [name for entry in dataset.manifest.frames for name in _plain_names(entry.files)]
    return listed or [name for name, what in _FRAME_ONLY.items() if what not in dataset.absent]


def _write_layers(
    dataset: Dataset, frame: Frame, number: int, layers: tuple[Layer, ...], folder: Path, used: dict[str, Layer]
) -> dict[str, str]:
    """Writes the pictures of one frame and returns their notes by kind; a layer that the frame lacks is left out."""
    notes = {}
    read = _reader(dataset, frame, number)
    for layer in layers:
        try:
            drawn = draw_layer(layer, frame, number, read)
        except LookupError:
            continue
        if drawn is not None:
            (folder / layer.file(number)).write_bytes(drawn[0])
            notes[layer.kind] = drawn[1]
            used[layer.kind] = layer
    return notes


def _reader(dataset: Dataset, frame: Frame, number: int) -> Callable[[str], bytes]:
    there = {kind_of(name) for name in dataset.manifest.frames[number].files}

    def read(name: str) -> bytes:
        if not dataset.manifest.frames[number].files and name.startswith("distance_to_image_plane"):
            return npy_bytes(frame.truth.depth_m)
        if kind_of(name) not in there:
            raise LookupError(name)
        return dataset.read(number, name)

    return read


def _plain_names(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.endswith((".png", ".npy"))]


def _thumb(frame: Frame) -> Any:
    import cv2

    height = max(1, round(frame.camera.height * _THUMB_PX / frame.camera.width))
    return cv2.resize(frame.rgb, (_THUMB_PX, height), interpolation=cv2.INTER_AREA)


def _data(manifest: Manifest, layers: list[Layer], rows: list[Any], depth: Any) -> dict[str, Any]:
    return {
        "size": manifest.size,
        "facts": _facts(manifest, len(rows)),
        "rejected": manifest.rejected,
        "categories": [{"name": c.name, "kind": c.kind, "colour": "#{:02x}{:02x}{:02x}".format(*c.colour)} for c in TAXONOMY],
        "layers": [{"kind": y.kind, "name": y.name, "suffix": y.suffix, "overlay": y.overlay} for y in layers],
        "depth": {"edges": DEPTH_EDGES_M.round(4).tolist(), "counts": depth.tolist()},
        "frames": rows,
    }  # fmt: skip


def _facts(manifest: Manifest, frames: int) -> list[tuple[str, str]]:
    scenes = len({entry.name.rpartition("/")[0] for entry in manifest.frames})
    return [
        ("suite", f"{manifest.suite}, version {manifest.suite_version}"),
        ("split and seed", f"{manifest.split}, {manifest.seed}"),
        ("frames", f"{frames} of {scenes} scenes, {manifest.size[0]}x{manifest.size[1]}"),
        ("sensor", "ideal" if manifest.sensor is None else str(manifest.sensor["label"])),
        ("made by", f"Rehearse {manifest.generator.rehearse}, {manifest.generator.backend} {manifest.generator.backend_version}"),
        ("on disk", f"{sum(entry.size_bytes for entry in manifest.frames) / 1e6:.1f} MB in frames"),
    ]  # fmt: skip


def _page(dataset: Dataset) -> str:
    here = files("sim.browser")
    text = here.joinpath("page.html").read_text("utf-8")
    script = "\n".join(here.joinpath(name).read_text("utf-8") for name in _SCRIPTS)
    for mark, content in (
        ("MARK", _MARK),
        ("TITLE", html.escape(dataset.path.absolute().name)),
        ("STYLE", here.joinpath("browser.css").read_text("utf-8")),
        ("SCRIPT", script),
    ):
        text = text.replace(f"%%{mark}%%", content)
    return text


def _assert_replaceable(folder: Path) -> None:
    page = folder / "index.html"
    if page.is_file() and _MARK in page.read_text("utf-8", errors="replace")[:500]:
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} is not empty and no browser of Rehearse: give a new or an empty folder.")
