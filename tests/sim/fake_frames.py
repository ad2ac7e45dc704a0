"""Hand-made frames and a scene source without a renderer: pure functions of (seed, index), quick and valid."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scenes.box import OrientedBox
from scenes.camera import Camera, look_at
from scenes.scene import Scene, SceneId
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, quaternion_about
from sim.frame import Frame, ObjectTruth, Truth
from sim.generate import GenerateSpec


def make_camera(name: str = "front", width: int = 64, height: int = 48) -> Camera:
    pose = look_at(np.array([1.0, 0.2, 0.9]), np.array([0.0, 0.05, 0.4]), roll_rad=0.05)
    fx = 0.9 * width + 0.123456789
    return Camera(
        name=name,
        width=width,
        height=height,
        fx=fx,
        fy=fx,
        cx=(width - 1) / 2,
        cy=(height - 1) / 2,
        world_from_camera=pose,
    )


def make_frame(
    rng: np.random.Generator, *, camera: Camera | None = None, name: str = "fake-v1/test/seed0/000000/front"
) -> Frame:
    """Draws a random but consistent frame: rectangles of things on a table, one of them hidden, sky without depth."""
    camera = camera or make_camera()
    height, width = camera.height, camera.width
    semantic = np.full((height, width), TAXONOMY.named("table").id, dtype=np.uint8)
    depth_m = rng.uniform(0.3, 3.0, (height, width)).astype(np.float32)
    instance = np.zeros((height, width), dtype=np.uint16)
    semantic[: height // 5] = 0
    depth_m[: height // 8] = np.inf
    categories = rng.choice([c.id for c in TAXONOMY.things], size=int(rng.integers(1, 6)))
    objects = []
    for k, category in enumerate(categories, start=1):
        x, y = int(rng.integers(0, width - 8)), int(rng.integers(height // 4, height - 8))
        box = (x, y, x + int(rng.integers(3, 8)), y + int(rng.integers(3, 8)))
        instance[box[1] : box[3] + 1, box[0] : box[2] + 1] = k
        objects.append((k, int(category), box))
    category_of = np.array([0, *categories], dtype=np.uint8)
    semantic = np.where(instance > 0, category_of[instance], semantic).astype(np.uint8)
    records = tuple(_record(rng, instance, *row) for row in objects)
    hidden = replace(
        records[0], instance_id=len(records) + 1, body_name="hidden_thing", visible_box_px=None, visible_fraction=0.0
    )
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    truth = Truth(depth_m=depth_m, semantic=semantic, instance=instance, objects=(*records, hidden))
    return Frame(name=name, rgb=rgb, camera=camera, truth=truth, time_s=float(rng.uniform(0, 10)))


def _record(
    rng: np.random.Generator, instance: np.ndarray, number: int, category: int, amodal: tuple[int, int, int, int]
) -> ObjectTruth:
    v, u = np.nonzero(instance == number)
    visible = (int(u.min()), int(v.min()), int(u.max()), int(v.max())) if len(u) else None
    area = (amodal[2] - amodal[0] + 1) * (amodal[3] - amodal[1] + 1)
    quaternion = quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, 3)))
    x, y, z = (float(value) for value in rng.uniform(-0.5, 0.5, 3))
    sx, sy, sz = (float(value) for value in rng.uniform(0.02, 0.3, 3))
    body = Pose((x, y, z), quaternion)
    center = body.matrix() @ np.array([0.01, -0.02, 0.03, 1.0])
    return ObjectTruth(
        instance_id=number,
        category_id=category,
        body_name=f"{TAXONOMY[category].name.replace(' ', '_')}_{number}",
        visible_box_px=visible,
        amodal_box_px=amodal,
        visible_fraction=len(u) / area,
        box_world=OrientedBox(Pose((float(center[0]), float(center[1]), float(center[2])), quaternion), (sx, sy, sz)),
        world_from_body=body,
    )


@dataclass(slots=True)
class FakeSource:
    """A FrameSource whose frames depend on (seed, index, view) only; a scene takes `scene_s` seconds."""

    spec: GenerateSpec
    scene_s: float = 0.0
    made: Scene | None = None

    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        time.sleep(self.scene_s)
        scene_id = SceneId(suite="fake", version=1, split="test", seed=self.spec.seed, index=index, attempt=index % 2)
        cameras = tuple(make_camera(f"view{v}", *self.spec.size) for v in range(3))
        self.made = Scene(id=scene_id, bodies=(), lights=(), cameras=cameras, supports=())
        return self.made, {"lost": index % 2}

    def frame(self, view: int) -> Frame:
        assert self.made is not None
        scene_id = self.made.id
        rng = np.random.default_rng([scene_id.seed, scene_id.index, view])
        return make_frame(rng, camera=self.made.cameras[view], name=f"{scene_id}/view{view}")

    def write_stage(self, path: Path) -> None:
        assert self.made is not None
        (path.parent / "textures").mkdir(exist_ok=True)
        (path.parent / "textures" / "wood.png").write_bytes(b"the same for all scenes")
        path.write_text(str(self.made.id))

    def close(self) -> None:
        self.made = None


class SlowFakeSource(FakeSource):
    """The same frames, slowly: time to kill the process in the middle."""

    def __init__(self, spec: GenerateSpec) -> None:
        super().__init__(spec, scene_s=0.15)
