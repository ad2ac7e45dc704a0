"""Two frames of one view, pixel by pixel: how far they agree away from edges, and which objects and pixels differ.

Away from edges means in both frames: the 3x3 around the pixel shows one object or category, and its depth bends by less
than 2 mm (2 mm a metre beyond a metre) or is nowhere finite. The limits are those of the proof of every frame.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.taxonomy import TAXONOMY
from sim.frame import Frame, ObjectTruth, Truth
from sim.pictures import Image, contact_sheet, depth_colours, depth_range, instance_colours
from sim.proof.check import BEND_M, DEPTH_LIMIT_M, DEPTH_LIMIT_SHARE
from sim.proof.figures import Agreement, ObjectAgreement, Proof

Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_FRACTION_LIMIT, _FRACTION_LIMIT_PX = 0.01, 4.0
_LABEL_COLOUR, _DEPTH_COLOUR, _EDGE_COLOUR = (255, 0, 255), (255, 160, 0), (90, 90, 90)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDifference:
    """One object, or one category of stuff, in two frames.

    Pixels in each frame; intersection over union of the two masks; the checked pixels that show it in either, and those
    that agree; the median depth error where both show it; the first (u, v) that disagrees; the two visible fractions.
    None is what does not apply.
    """

    name: str
    pixels: tuple[int, int]
    iou: float
    checked: int
    agreeing: int
    depth_median_error_m: float | None
    first_px: tuple[int, int] | None
    visible_fraction: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameComparison:
    """Two frames of one view compared; `differs` bool (H, W) marks checked pixels that disagree, `edge_share` of the rest."""

    name: str
    agreement: Agreement
    edge_share: float
    camera_equal: bool
    objects: tuple[ObjectDifference, ...]
    differs: Bools
    labels_differ: Bools

    def complaints(self) -> list[str]:
        """Returns what is wrong, as parts of a sentence; empty where the frames agree."""
        rows = tuple(ObjectAgreement(name=o.name, checked=o.checked, agreeing=o.agreeing) for o in self.objects)
        said = Proof(frame=self.name, agreement=self.agreement, objects=rows, differences=()).complaints()
        if not self.camera_equal:
            said.insert(0, "the cameras differ")
        for o in self.objects:
            first, second = o.visible_fraction
            if (first is None) != (second is None):
                said.append(f"{o.name} is recorded in one frame only")
            elif first is not None and second is not None and abs(first - second) > _fraction_limit(o):
                said.append(f"the visible fraction of {o.name} is {first:.3f} and {second:.3f}")
        return said

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, without the maps."""
        return {
            "name": self.name, "agrees": not self.complaints(), "complaints": self.complaints(),
            "agreement": self.agreement.to_dict(), "share": self.agreement.share, "edge_share": self.edge_share,
            "camera_equal": self.camera_equal, "objects": [asdict(o) for o in self.objects],
        }  # fmt: skip

    def table(self) -> list[tuple[str, ...]]:
        """Returns a header and a row of text per object, those that differ most first."""
        rows: list[tuple[str, ...]] = [("object", "pixels", "pixels", "IoU", "checked", "differ", "depth error", "first at")]
        for o in sorted(self.objects, key=lambda o: (o.agreeing - o.checked, o.name)):
            error = "-" if o.depth_median_error_m is None else f"{1e3 * o.depth_median_error_m:.3f} mm"
            first = "" if o.first_px is None else f"({o.first_px[0]}, {o.first_px[1]})"
            counts = (str(o.pixels[0]), str(o.pixels[1]), f"{o.iou:.4f}", str(o.checked), str(o.checked - o.agreeing))
            rows.append((o.name, *counts, error, first))
        return rows


def _fraction_limit(o: ObjectDifference) -> float:
    """A visible fraction counts pixels of outlines too, which round differently: small objects get more room."""
    return float(_FRACTION_LIMIT + _FRACTION_LIMIT_PX / np.sqrt(max(*o.pixels, 1)))


def compare_frames(first: Frame, second: Frame) -> FrameComparison:
    """Compares labels, depth, camera and records of two frames; raises ValueError where their sizes differ."""
    a, b = first.truth, second.truth
    if a.depth_m.shape != b.depth_m.shape:
        raise ValueError(f"Two frames of one size are compared, got {a.depth_m.shape} and {b.depth_m.shape}.")
    names = _names(a, b)
    rows = [_rows(truth, names) for truth in (a, b)]
    inside = _interior(rows[0], a) & _interior(rows[1], b)
    labels_differ = (rows[0] != rows[1]) | (a.semantic != b.semantic)
    error_m = _error_m(a, b)
    limit_m = DEPTH_LIMIT_M + DEPTH_LIMIT_SHARE * _spread_m(a)
    differs = inside & (labels_differ | (error_m > limit_m))
    compared = error_m[inside & ~labels_differ & np.isfinite(a.depth_m)]
    compared = compared[np.isfinite(compared)]
    return FrameComparison(
        name=first.name,
        agreement=Agreement(
            checked=int(inside.sum()),
            agreeing=int((inside & ~differs).sum()),
            depth_median_error_m=float(np.median(compared)) if compared.size else None,
            depth_max_error_m=float(compared.max()) if compared.size else None,
        ),
        edge_share=float(labels_differ[~inside].mean()) if (~inside).any() else 0.0,
        camera_equal=_same_camera(first, second),
        objects=_objects(names, rows, inside, differs, error_m, (a, b)),
        differs=differs,
        labels_differ=inside & labels_differ,
    )


def draw_comparison(first: Frame, second: Frame, found: FrameComparison, *, titles: tuple[str, str]) -> Image:
    """Returns image, labels and depth of both frames, and a map: magenta labels differ, orange depth, grey not checked."""
    span = depth_range(first.truth.depth_m)
    names = _names(first.truth, second.truth)
    maps = [instance_colours(_rows(frame.truth, names)) for frame in (first, second)]
    shown = (0.4 * first.rgb).astype(np.uint8)
    shown[found.differs] = _DEPTH_COLOUR
    shown[found.labels_differ] = _LABEL_COLOUR
    missed = found.agreement.checked - found.agreement.agreeing
    cells = [first.rgb, maps[0], depth_colours(first.truth.depth_m, span), shown]
    cells += [second.rgb, maps[1], depth_colours(second.truth.depth_m, span)]
    labels = [titles[0], "labels", "depth", f"differ: {missed} of {found.agreement.checked}", titles[1], "labels", "depth"]
    return contact_sheet(cells, columns=4, labels=labels)


def _names(a: Truth, b: Truth) -> list[str]:
    """Returns what either frame shows: every category of stuff, then every object by its body."""
    stuff = [c.name if c.id else "nothing" for c in TAXONOMY]
    return stuff + sorted({r.body_name for r in (*a.objects, *b.objects)})


def _rows(truth: Truth, names: list[str]) -> Rows:
    row = {name: k for k, name in enumerate(names)}
    of_instance = np.zeros(int(truth.instance.max(initial=0)) + 1, dtype=np.int64)
    for record in truth.objects:
        if record.instance_id < len(of_instance):
            of_instance[record.instance_id] = row[record.body_name]
    rows: Rows = np.where(truth.instance > 0, of_instance[truth.instance], truth.semantic.astype(np.int64))
    return rows


def _interior(rows: Rows, truth: Truth) -> Bools:
    import cv2

    box, shown = np.ones((3, 3), np.uint8), rows.astype(np.float32)
    one = cv2.dilate(shown, box) == cv2.erode(shown, box)
    known = np.isfinite(truth.depth_m)
    depth_m = np.where(known, truth.depth_m, 0.0).astype(np.float64)
    bend = np.full(depth_m.shape, np.inf)
    bend[1:-1, 1:-1] = np.maximum(
        np.abs(depth_m[1:-1, 2:] + depth_m[1:-1, :-2] - 2 * depth_m[1:-1, 1:-1]),
        np.abs(depth_m[2:, 1:-1] + depth_m[:-2, 1:-1] - 2 * depth_m[1:-1, 1:-1]),
    )
    every, none = cv2.erode(known.astype(np.uint8), box) > 0, cv2.dilate(known.astype(np.uint8), box) == 0
    smooth = (bend < BEND_M * np.maximum(1.0, depth_m)) & every
    inside: Bools = one & (smooth | (none & np.isfinite(bend)))
    return inside


def _error_m(a: Truth, b: Truth) -> Floats:
    """Returns the depth error, 0 where neither frame shows anything, +inf where one of them does."""
    known = np.isfinite(a.depth_m), np.isfinite(b.depth_m)
    both = known[0] & known[1]
    error = np.where(known[0] != known[1], np.inf, 0.0)
    error[both] = np.abs(a.depth_m[both].astype(np.float64) - b.depth_m[both])
    return error


def _spread_m(truth: Truth) -> Floats:
    import cv2

    depth_m, box = np.where(np.isfinite(truth.depth_m), truth.depth_m, 0.0).astype(np.float32), np.ones((3, 3), np.uint8)
    return (cv2.dilate(depth_m, box) - cv2.erode(depth_m, box)).astype(np.float64)


def _same_camera(first: Frame, second: Frame) -> bool:
    a, b = first.camera, second.camera
    first_numbers, second_numbers = (
        np.concatenate([[c.width, c.height, c.fx, c.fy, c.cx, c.cy], c.world_from_camera.matrix().reshape(-1)])
        for c in (a, b)
    )
    return a.distortion == b.distortion and bool(np.allclose(first_numbers, second_numbers, rtol=0, atol=1e-6))


def _objects(
    names: list[str], rows: list[Rows], inside: Bools, differs: Bools, error_m: Floats, truths: tuple[Truth, Truth]
) -> tuple[ObjectDifference, ...]:
    fractions: list[dict[str, ObjectTruth]] = [{r.body_name: r for r in truth.objects} for truth in truths]
    found = []
    for k in np.unique(np.concatenate([rows[0].reshape(-1), rows[1].reshape(-1)])):
        here = rows[0] == k, rows[1] == k
        either, both = here[0] | here[1], here[0] & here[1]
        v, u = np.nonzero(either & differs)
        error = error_m[both & inside]
        records = [records.get(names[k]) for records in fractions]
        found.append(
            ObjectDifference(
                name=names[k],
                pixels=(int(here[0].sum()), int(here[1].sum())),
                iou=float(both.sum() / either.sum()),
                checked=int((either & inside).sum()),
                agreeing=int((either & inside & ~differs).sum()),
                depth_median_error_m=float(np.median(error)) if error.size and np.isfinite(error).all() else None,
                first_px=(int(u[0]), int(v[0])) if len(u) else None,
                visible_fraction=(_fraction(records[0]), _fraction(records[1])),
            )
        )
    return tuple(found)


def _fraction(record: ObjectTruth | None) -> float | None:
    return None if record is None else record.visible_fraction
