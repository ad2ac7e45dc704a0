"""What a BasicWriter folder lacks and what was made of the rest, in sentences; reads every json and box file, no picture."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.readers._files import Files, array_of
from sim.readers._isaac_boxes import has_boxes, read_boxes
from sim.readers._isaac_camera import read_camera, why_no_camera
from sim.readers._isaac_pixels import has_instance_labels, has_instances, has_semantic, labels_in
from sim.readers._layouts import READ, Listing, base_of
from sim.readers.labels import LabelMap

SizeOf = Callable[[int], tuple[int, int]]
_SEED = "replicator_global_seed:"  # the colon inside the key is Replicator's


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What metadata.txt says: the writer's name and version and the global seed; `problem` where it cannot be read."""

    name: str = ""
    version: str = "unknown"
    seed: int = 0
    problem: str = ""


def metadata_of(folder: Path) -> Metadata:
    """Reads metadata.txt at the root; the frames do not depend on it, so damage is a remark and no error."""
    path = folder / "metadata.txt"
    if not path.is_file():
        return Metadata(problem="none")
    try:
        values = json.loads(path.read_bytes())
        return Metadata(
            name=str(values.get("name", "")), version=str(values.get("version", "unknown")), seed=int(values.get(_SEED, 0))
        )
    except (ValueError, AttributeError, TypeError) as error:
        return Metadata(problem=f"metadata.txt is not what a writer of Replicator leaves: {error}")


def absent_of(listing: Listing, labels: LabelMap, size_of: SizeOf) -> dict[str, str]:
    """Returns what frames lack, by subject, with a reason; where only some render products lack it, they are named."""
    first: dict[str, int] = {}
    for number, files in enumerate(listing.frames):
        first.setdefault(files.product, number)
    lost: dict[str, dict[str, str]] = {}
    for product, number in first.items():
        for what, reason in _absent(listing.frames[number], size_of(number)).items():
            lost.setdefault(what, {})[product] = reason
    found = {}
    for what, reasons in lost.items():
        where = "" if len(reasons) == len(first) else f" (only of {', '.join(reasons)})"
        found[what] = "; ".join(dict.fromkeys(reasons.values())) + where
    unknown = labels.describe_unknown(all_labels(listing.frames))
    return found | ({"categories": unknown} if unknown else {})


def _absent(files: Files, size: tuple[int, int]) -> dict[str, str]:
    if files.find("objects", "json"):
        return {}
    boxes = read_boxes(files, size)
    why = why_no_camera(read_camera(files, size))
    lost = {}
    if not (has_semantic(files) or has_instance_labels(files)):
        lost["semantic labels"] = _without(files, "semantic_segmentation") + ": every pixel is void"
    if not has_instances(files, dict.fromkeys(boxes, "")):
        lost["instances"] = _without(files, "instance_segmentation") + ": things have no masks and count as void"
    if why:
        lost["cameras"] = f"{why}: intrinsics and poses are not known"
    depth = _why_no_depth(files, why)
    if depth:
        lost["depth"] = f"{depth}: depth is not scored"
    if not has_boxes(files, "bounding_box_3d"):
        lost["3D boxes"] = _without(files, "bounding_box_3d") + ": 3D boxes are not scored"
    elif why:
        lost["3D boxes"] = f"they are in the world, and the view is not known ({why}): they are not scored"
    if not has_boxes(files, "bounding_box_2d_loose"):
        lost["amodal boxes"] = _without(files, "bounding_box_2d_loose") + "; what the other files say of an object stands in"
    if not any(np.isfinite(about.visible_fraction) for about in boxes.values()):
        lost["visible fractions"] = "no box file with an occlusionRatio of 0 to 1 (Isaac Sim writes -1 where it has none)"
    return lost


def _without(files: Files, kind: str) -> str:
    """Returns which file of an annotator is missing."""
    if not any((kind, suffix) in files.members for suffix in ("png", "npy")):
        return f"no {kind}"
    end = {"semantic_segmentation": "_labels", "instance_segmentation": "_semantics_mapping"}.get(kind, "_prim_paths")
    return f"{kind} without the json that gives its numbers a meaning ({kind}{end})"


def _why_no_depth(files: Files, why_no_view: str) -> str:
    if files.find("distance_to_image_plane", "npy"):
        return ""
    if files.find("distance_to_camera", "npy"):
        return f"distance_to_camera cannot be turned into depth, {why_no_view}" if why_no_view else ""
    for kind in ("distance_to_image_plane", "distance_to_camera"):
        if files.find(kind, "png"):
            return f"{kind} only as a picture for people (colorize_depth), which has lost the metres"
    return "no distance_to_image_plane and no distance_to_camera"


def all_labels(frames: Iterable[Files]) -> set[str]:
    """Returns every label that the json files of these frames name."""
    found: set[str] = set()
    for files in frames:
        for kind in ("semantic_segmentation_labels", "instance_segmentation_semantics_mapping",
                     "bounding_box_2d_tight_labels", "bounding_box_2d_loose_labels", "bounding_box_3d_labels"):  # fmt: skip
            if files.find(kind, "json"):
                found |= set(labels_in(files, kind).values())
    return found


def remarks_of(folder: Path, listing: Listing, labels: LabelMap, size_of: SizeOf) -> dict[str, str]:
    """Returns what a user should know of the reading, by subject."""
    frames, found = listing.frames, {}
    about = metadata_of(folder)
    if about.problem and about.problem != "none":
        found["metadata"] = about.problem
    if listing.left_out:
        more = f" and {len(listing.left_out) - 4} more" if len(listing.left_out) > 4 else ""
        found["left out"] = "; ".join(listing.left_out[:4]) + more
    if listing.without_image:
        found["without images"] = f"not read: {'; '.join(listing.without_image)}"
    if all(files.find("objects", "json") for files in frames):
        return found
    said = (
        ("views", _views(frames)), ("not read", _unread(frames)), ("labels", _mapped(frames, labels)),
        ("3D boxes", _boxes(frames)), ("instances", _leaves(frames[0])), ("depth", _depth(frames[0], size_of(0))),
    )  # fmt: skip
    return found | {subject: text for subject, text in said if text}


def _views(frames: tuple[Files, ...]) -> str:
    per_view = Counter(files.product for files in frames)
    if len(set(per_view.values())) < 2:
        return ""
    return "not all have as many frames: " + ", ".join(f"{name or 'view'} {count}" for name, count in per_view.items())


def _unread(frames: tuple[Files, ...]) -> str:
    kinds: Counter[str] = Counter()
    for files in frames:
        for kind, suffix in files.members:
            picture = kind.startswith("distance_to") and suffix == "png"
            if base_of(kind) not in READ or picture:
                kinds[f"{kind}.{suffix}"] += 1
    return ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))


def _mapped(frames: tuple[Files, ...], labels: LabelMap) -> str:
    there = all_labels(frames)
    known = sorted({label for label in there if labels.find(label) is not None})
    parts = [f"{label} is {labels.category(label).name}" for label in known if label.lower() != labels.category(label).name]
    if labels.unused(there):
        parts.append(f"mapped but not there: {', '.join(labels.unused(there))}")
    return "; ".join(parts)


def _boxes(frames: tuple[Files, ...]) -> str:
    per_label: Counter[str] = Counter()
    unusable: Counter[str] = Counter()
    unknown = 0
    for files in frames:
        if has_boxes(files, "bounding_box_3d"):
            for about in read_boxes(files).values():
                per_label[about.label or "without a label"] += 1
                unusable[about.why_no_box] += bool(about.why_no_box)
                unknown += not np.isfinite(about.visible_fraction)
    if not per_label:
        return ""
    text = f"{sum(per_label.values())} ({', '.join(f'{n} {label}' for label, n in sorted(per_label.items()))})"
    text += f", visible fraction unknown (-1) of {unknown}" if unknown else ""
    return text + "".join(f", {count} {why} and left out" for why, count in unusable.items() if count)


def _leaves(files: Files) -> str:
    if has_instance_labels(files) or not has_instances(files, {"": ""}):
        return ""
    return "joined from the leaf prims of instance_id_segmentation under the labelled prims of the box files"


def _depth(files: Files, size: tuple[int, int]) -> str:
    plane, ray = (files.find(kind, "npy") for kind in ("distance_to_image_plane", "distance_to_camera"))
    text = []
    if ray and not plane and not why_no_camera(read_camera(files, size)):
        text.append("made of distance_to_camera by the intrinsics")
    if plane or ray:
        array = files.decode("distance_to_image_plane" if plane else "distance_to_camera", "npy", array_of)
        if (array == 0).any():
            text.append("0 is read as nothing there, as inf is")
    return "; ".join(text)

