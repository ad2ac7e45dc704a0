"""Small label maps with known answers, and random frames with predictions that are partly right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.prediction import Prediction, Segment
from perception.scoring.box_ap import true_boxes_camera
from perception.scoring.overlap import Overlap, count_overlap
from scenes.box import OrientedBox
from scenes.camera import Camera, look_at
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, quaternion_about, vec3
from sim.frame import Frame, ObjectTruth, Truth

FLOOR, WALL, TABLE = (TAXONOMY.named(name).id for name in ("floor", "wall", "table"))
CUP, BOWL, BOTTLE = (TAXONOMY.named(name).id for name in ("cup", "bowl", "bottle"))


def strip(*runs: tuple[int, int]) -> NDArray[np.int64]:
    """Returns labels in a row: (label, length), (label, length), ..."""
    return np.concatenate([np.full(length, label) for label, length in runs])


def overlap_of(
    truth: NDArray[np.int64],
    truth_category: list[int],
    predicted: NDArray[np.int64],
    predicted_category: list[int],
    *,
    crowd: tuple[int, ...] = (),
    scores: list[float] | None = None,
) -> Overlap:
    """Counts two dense label maps; label k > 0 is entry k - 1 of its category list, `crowd` holds truth labels."""
    rows, columns = len(truth_category) + 1, len(predicted_category) + 1
    return Overlap(
        counts=count_overlap(truth, predicted, (rows, columns)),
        truth_category=np.array([0, *truth_category]),
        truth_crowd=np.isin(np.arange(rows), crowd),
        predicted_category=np.array([0, *predicted_category]),
        predicted_score=np.array([0.0, *(scores or [1.0] * len(predicted_category))]),
    )


def make_camera(width: int = 48, height: int = 36) -> Camera:
    pose = look_at(np.array([0.9, 0.3, 0.8]), np.array([0.0, 0.0, 0.1]))
    return Camera(
        name="view0", width=width, height=height, fx=50.0, fy=50.0, cx=(width - 1) / 2, cy=(height - 1) / 2,
        world_from_camera=pose,
    )  # fmt: skip


def random_box(rng: np.random.Generator, size_m: float = 0.1) -> OrientedBox:
    rotation = quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, 3)))
    return OrientedBox(Pose(vec3(rng.uniform(-0.2, 0.2, 3)), rotation), vec3(size_m * rng.uniform(0.5, 1.5, 3)))


def make_frame(
    rng: np.random.Generator, *, name: str = "fake/000000/view0", void: bool = True, things: int = 6
) -> Frame:
    """Draws rectangles of things, of a few categories so that one category has several, on table and wall."""
    camera = make_camera()
    height, width = camera.height, camera.width
    semantic = np.full((height, width), TABLE, dtype=np.uint8)
    semantic[: height // 3] = WALL
    instance = np.zeros((height, width), dtype=np.uint16)
    categories = rng.choice([CUP, BOWL, BOTTLE], size=things)
    for k, category in enumerate(categories, start=1):
        v, u = int(rng.integers(0, height - 12)), int(rng.integers(0, width - 12))
        part = np.s_[v : v + int(rng.integers(5, 12)), u : u + int(rng.integers(5, 12))]
        instance[part], semantic[part] = k, category
    depth_m = rng.uniform(0.4, 2.0, (height, width)).astype(np.float32)
    if void:
        semantic[:, :6], instance[:, :6], depth_m[:, :3] = 0, 0, np.inf
    objects = tuple(
        ObjectTruth(
            instance_id=k, category_id=int(category), body_name=f"thing_{k}", visible_box_px=None,
            amodal_box_px=(0, 0, 11, 11), visible_fraction=float((instance == k).sum() > 0), box_world=random_box(rng),
            world_from_body=Pose(),
        )
        for k, category in enumerate(categories, start=1)
    )  # fmt: skip
    truth = Truth(depth_m=depth_m, semantic=semantic, instance=instance, objects=objects)
    return Frame(name=name, rgb=np.zeros((height, width, 3), dtype=np.uint8), camera=camera, truth=truth)


def perfect_prediction(frame: Frame) -> Prediction:
    """Returns the truth as a prediction, ids far from the truth's, with the true boxes."""
    truth = frame.truth
    ids = np.where(truth.instance > 0, 1000 + truth.instance.astype(np.int32), truth.semantic).astype(np.int32)
    segments = [
        Segment(id=int(c), category_id=int(c), score=1.0, depth_m=1.0) for c in np.unique(ids[ids < 1000]) if c > 0
    ]
    for record, box in zip(truth.objects, true_boxes_camera(frame), strict=True):
        mask = truth.instance == record.instance_id
        if mask.any():
            depth = truth.depth_m[mask]
            median = float(np.median(depth[np.isfinite(depth)]))
            identity = 1000 + record.instance_id
            segments.append(
                Segment(id=identity, category_id=record.category_id, score=0.9, depth_m=median, box_camera=box)
            )
    depth_m = np.where(np.isfinite(truth.depth_m), truth.depth_m, 1).astype(np.float32)
    return Prediction(segment_id=ids, segments=tuple(segments), depth_m=depth_m)


def noisy_prediction(frame: Frame, rng: np.random.Generator, *, void: bool = True) -> Prediction:
    """Returns the truth moved by a few pixels, with some categories swapped, and false things, and tied scores."""
    perfect = perfect_prediction(frame)
    shift = tuple(int(s) for s in rng.integers(-2, 3, size=2))
    ids = np.roll(perfect.segment_id, shift, axis=(0, 1))
    if void:
        ids[-4:] = 0
    else:
        ids[ids == 0] = TABLE
    v, u = int(rng.integers(0, 24)), int(rng.integers(0, 36))
    ids[v : v + 8, u : u + 8] = 7777
    known = {segment.id: segment for segment in perfect.segments}
    segments = []
    for identity in np.unique(ids[ids > 0]).tolist():
        is_thing = identity >= 1000
        swapped = identity not in known or (is_thing and rng.random() < 0.2)
        category = int(rng.choice([CUP, BOWL, BOTTLE])) if is_thing and swapped else None
        old = known.get(identity)
        segments.append(
            Segment(
                id=identity,
                category_id=category or (old.category_id if old else identity),
                score=float(rng.integers(1, 6)) / 5,
                depth_m=float(rng.uniform(0.5, 1.5)),
                box_camera=_moved(old.box_camera, rng) if old else None,
            )
        )
    depth_m = (perfect.depth_m * rng.uniform(0.8, 1.3, perfect.depth_m.shape)).astype(np.float32)
    return Prediction(segment_id=ids.astype(np.int32), segments=tuple(segments), depth_m=depth_m)


def _moved(box: OrientedBox | None, rng: np.random.Generator) -> OrientedBox | None:
    if box is None:
        return None
    shift = np.eye(4)
    shift[:3, 3] = rng.normal(scale=0.02, size=3)
    return box.moved(shift)
