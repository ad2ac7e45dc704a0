"""Where BasicWriter's files lie: one listing of the folder, every frame with its files, half-written last frames left out.

    flat            rgb_0000.png                       one render product
    per product     Cam/rgb/rgb_0000.png               several
    per annotator   rgb/Cam_rgb_0000.png               several, use_common_output_dir

Names of render products and the width of numbers are free; a trigger on time puts a count before the number, rgb_2_0000.png.
Files of several writers may share a folder: what is joined is joined by layout, render product, number and width.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sim.readers._files import DAMAGE, IMAGE_SUFFIXES, Files, array_of, fault

ANNOTATORS = (
    "rgb", "semantic_segmentation", "instance_segmentation", "instance_id_segmentation", "bounding_box_2d_tight",
    "bounding_box_2d_loose", "bounding_box_3d", "distance_to_image_plane", "distance_to_camera", "camera_params",
    "occlusion", "normals", "motion_vectors", "pointcloud", "skeleton", "skeleton_data",
)  # fmt: skip
# Those whose files become part of a Frame, ours among them; `pose` is PoseWriter's json.
READ = frozenset(ANNOTATORS[:10]) | {"objects", "pose"}
COMPANIONS = ("_labels", "_prim_paths", "_semantics_mapping", "_mapping")
_NUMBER = r"(?P<number>(?:\d+_)?\d+)\.(?P<suffix>\w+)$"
_ENDINGS = "_labels|_prim_paths|_semantics_mapping|_mapping|_rgb|_normals|_semantic|_instance"
_FLAT = re.compile(rf"(?P<kind>[A-Za-z]\w*?)_{_NUMBER}")

Members = dict[tuple[str, str], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a folder holds: its frames in order, and in words what was left out of them."""

    frames: tuple[Files, ...]
    left_out: tuple[str, ...]
    without_image: tuple[str, ...]


def list_frames(folder: Path) -> Listing:
    """Lists the frames of a folder in all layouts that are in it; raises OSError where it cannot be listed."""
    products: dict[tuple[Path, str], dict[str, Members]] = defaultdict(lambda: defaultdict(dict))
    for place, product, number, member, path in _files(folder):
        products[place, product][number][member] = path
    frames: list[Files] = []
    left_out: list[str] = []
    lost: list[str] = []
    for (place, product), numbers in products.items():
        for series in _series(numbers):
            whole = [
                Files(folder=place, product=product, number=number, members=numbers[number])
                for number in sorted(series, key=_order)
            ]
            seen = [files for files in whole if files.image is not None]
            if not seen:
                kinds = sorted({kind for files in whole for kind, _ in files.members if kind in ANNOTATORS})
                lost += [f"{product or 'the folder'}: {', '.join(kinds)}"] if kinds else []
                continue
            candidates = whole if _usual(whole) & _IMAGES else seen
            kept, dropped = finished(candidates)
            frames += kept
            left_out += dropped
            if len(candidates) < len(whole):
                left_out.append(f"{len(whole) - len(candidates)} frames{f' of {product}' if product else ''} have no rgb")
    frames.sort(key=lambda files: (_order(files.number), files.product, len(files.number)))
    return Listing(frames=tuple(frames), left_out=tuple(left_out), without_image=tuple(lost))


_IMAGES = frozenset(("rgb", suffix) for suffix in IMAGE_SUFFIXES)


def _files(folder: Path) -> Iterator[tuple[Path, str, str, tuple[str, str], Path]]:
    """Yields (place, render product, number, (kind, suffix), path) of every file that is named as a frame's."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _per_annotator(folder, path) if path.name in ANNOTATORS else ()
            yield from _per_product(path)
        elif match := _FLAT.match(path.name):
            yield folder, "", match["number"], (match["kind"], match["suffix"].lower()), path


def _per_annotator(folder: Path, annotator: Path) -> Iterator[tuple[Path, str, str, tuple[str, str], Path]]:
    pattern = re.compile(rf"(?:(?P<product>.+?)_)?(?P<kind>{re.escape(annotator.name)}(?:{_ENDINGS})?)_{_NUMBER}")
    for path in sorted(annotator.iterdir()):
        if match := pattern.match(path.name):
            yield folder, match["product"] or "", match["number"], (match["kind"], match["suffix"].lower()), path


def _per_product(product: Path) -> Iterator[tuple[Path, str, str, tuple[str, str], Path]]:
    places = [path for path in sorted(product.iterdir()) if path.is_dir()]
    if not any(place.name in ANNOTATORS for place in places):
        return
    for place in places:
        for path in sorted(place.iterdir()):
            if match := _FLAT.match(path.name):
                yield product, product.name, match["number"], (match["kind"], match["suffix"].lower()), path


def _order(number: str) -> tuple[int, ...]:
    """Returns what sorts numbers: by the frame, then by the count that a trigger on time puts before it."""
    return tuple(int(part) for part in reversed(number.split("_")))


def _series(numbers: dict[str, Members]) -> list[list[str]]:
    """Returns the numbers by the writer that wrote them: two writers may pad the number to different widths."""
    width_of = {number: len(number.rpartition("_")[2]) for number in numbers}
    padded = {width for number, width in width_of.items() if number.rpartition("_")[2].startswith("0") or width < 2}
    series: dict[int, list[str]] = defaultdict(list)
    for number, width in width_of.items():
        # A number without leading zeros has outgrown the padding: it belongs to the widest that it can have outgrown.
        own = width if width in padded else max((w for w in padded if w <= width), default=width)
        series[own].append(number)
    return list(series.values())


def _usual(frames: list[Files]) -> frozenset[tuple[str, str]]:
    """Returns the kinds of files that most frames have, of those that are read; of several as common, the largest set."""
    kinds = Counter(frozenset(m for m in files.members if base_of(m[0]) in READ) for files in frames)
    return max(kinds, key=lambda members: (kinds[members], len(members)))


def finished(frames: list[Files]) -> tuple[list[Files], list[str]]:
    """Returns the frames up to the last whole one, each with what it lacks, and a sentence per half-written one after it."""
    usual = _usual(frames)
    marked = [replace(files, missing=_missing(files, usual)) for files in frames]
    dropped: list[str] = []
    while marked and (problem := _half_written(marked[-1])):
        dropped.append(f"{marked[-1].title} is half-written: {problem}")
        marked.pop()
    return marked, dropped[::-1]


def base_of(kind: str) -> str:
    """Returns the annotator of a file's kind, such as bounding_box_3d of bounding_box_3d_labels."""
    return next((kind.removesuffix(end) for end in COMPANIONS if kind.endswith(end)), kind)


def _missing(files: Files, usual: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{kind}_{files.number}.{suffix}" for kind, suffix in sorted(usual - set(files.members)))


def _half_written(files: Files) -> str:
    if files.missing:
        return f"it lacks {', '.join(files.missing)}"
    for path in files.members.values():
        data = path.read_bytes()
        problem = fault(data, path.suffix) or _short_array(data, path)
        if problem:
            return f"{path.name}: {problem}"
    return ""


def _short_array(data: bytes, path: Path) -> str:
    """Returns what an npy file lacks of the size that its header says."""
    if path.suffix != ".npy":
        return ""
    try:
        array_of(data)
    except DAMAGE as error:
        return f"the array is not whole ({error})"
    return ""
