"""3D boxes against shapes whose depth is known in closed form: a cuboid, a cylinder and a ball on a plane."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from perception.boxes3d import fit_boxes
from perception.plane import fit_plane
from perception.scoring.box_iou import box_iou
from scenes.box import OrientedBox
from scenes.camera import Camera, look_at
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, inverse, quaternion_about, transform_points

TABLE = TAXONOMY.named("table").id


def camera_at(eye_m: tuple[float, float, float], size: tuple[int, int] = (640, 480)) -> Camera:
    w, h = size
    pose = look_at(np.array(eye_m), np.array([0.0, 0.0, 0.05]))
    f = 560.0 * w / 640
    return Camera(name="c", width=w, height=h, fx=f, fy=f, cx=(w - 1) / 2, cy=(h - 1) / 2, world_from_camera=pose)


@dataclass(frozen=True)
class Solid:
    """A convex solid as half spaces, or a quadric, in the world; `box` is its true box."""

    category: str
    kind: str
    size_m: tuple[float, float, float]
    yaw: float = 0.0
    at_m: tuple[float, float] = (0.0, 0.0)
    lift_m: float = 0.0

    @property
    def box(self) -> OrientedBox:
        pose = Pose((*self.at_m, self.size_m[2] / 2 + self.lift_m), quaternion_about((0, 0, 1.0), self.yaw))
        return OrientedBox(pose, self.size_m)

    def hit(self, origin: NDArray[np.float64], rays: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the distance along each ray (n, 3) to the surface, inf where it is missed."""
        box_from_world = inverse(self.box.outer_from_box.matrix())
        o, d = transform_points(box_from_world, origin), rays @ box_from_world[:3, :3].T
        half = np.array(self.size_m) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.kind == "ball":
                near, far = _quadric(o / half, d / half, (0, 1, 2))
            else:
                axes = (0, 1, 2) if self.kind == "cuboid" else (2,)
                low, high = ((np.sign(d) * s * half - o) / d for s in (-1, 1))
                near, far = low[:, axes].max(axis=1), high[:, axes].min(axis=1)
                if self.kind == "cylinder":
                    n, f = _quadric(o / half, d / half, (0, 1))
                    near, far = np.maximum(near, n), np.minimum(far, f)
        return np.where((near < far) & (near > 0), near, np.inf)


def _quadric(
    o: NDArray[np.float64], d: NDArray[np.float64], axes: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    o, d = o[list(axes)], d[:, list(axes)]
    a, b, c = (d * d).sum(axis=1), d @ o, o @ o - 1
    root = np.sqrt(np.where(b * b - a * c > 0, b * b - a * c, np.nan))
    return (-b - root) / a, (-b + root) / a


def view(
    solids: list[Solid], camera: Camera, *, table: bool = True
) -> tuple[NDArray[np.int32], NDArray[np.float32], dict[int, int]]:
    """Returns ids, depth and categories of solids on the plane z = 0 of a table."""
    rays_camera = camera.unproject(np.ones((camera.height, camera.width))).reshape(-1, 3)
    world_from_camera = camera.world_from_camera.matrix()
    rays, origin = rays_camera @ world_from_camera[:3, :3].T, world_from_camera[:3, 3]
    with np.errstate(divide="ignore"):
        plane = np.where(rays[:, 2] < 0, -origin[2] / rays[:, 2], np.inf)
    hits = np.stack([plane if table else np.full(len(rays), np.inf), *(s.hit(origin, rays) for s in solids)])
    nearest = hits.argmin(axis=0)
    ids = np.where(np.isfinite(hits.min(axis=0)), nearest + 1, 0).astype(np.int32)
    shape = (camera.height, camera.width)
    category_of = {1: TABLE} | {i + 2: TAXONOMY.named(s.category).id for i, s in enumerate(solids)}
    return ids.reshape(shape), hits.min(axis=0).astype(np.float32).reshape(shape), category_of


def boxes(solids: list[Solid], camera: Camera, *, table: bool = True, noise: float = 0.0) -> dict[int, OrientedBox]:
    """Returns the fitted boxes in the world, by the index of their solid."""
    ids, depth_m, category_of = view(solids, camera, table=table)
    if noise:
        depth_m = depth_m * np.exp(np.random.default_rng(1).normal(0, noise, depth_m.shape)).astype(np.float32)
    found = fit_boxes(ids, category_of, depth_m, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)
    return {i - 2: box.moved(camera.world_from_camera.matrix()) for i, box in found.items()}


EYE = (-0.5, -0.5, 0.6)
CASES = {
    "cuboid": (Solid("box", "cuboid", (0.2, 0.12, 0.15), yaw=0.4), 0.9),
    "flat cuboid": (Solid("book", "cuboid", (0.24, 0.17, 0.03), yaw=-0.7), 0.85),
    "tall cuboid": (Solid("box", "cuboid", (0.08, 0.06, 0.22), yaw=1.0, at_m=(0.1, -0.05)), 0.85),
    "can": (Solid("can", "cylinder", (0.07, 0.07, 0.11), yaw=math.pi / 4), 0.85),
    "bottle": (Solid("bottle", "cylinder", (0.08, 0.08, 0.25), yaw=math.pi / 4), 0.85),
    "plate": (Solid("plate", "cylinder", (0.22, 0.22, 0.02), yaw=math.pi / 4), 0.85),
    "ball": (Solid("orange", "ball", (0.08, 0.08, 0.08), yaw=math.pi / 4), 0.75),
}


@pytest.mark.parametrize("name", CASES)
def test_a_solid_on_a_table_gets_its_box(name: str) -> None:
    solid, least = CASES[name]
    found = boxes([solid], camera_at(EYE))
    assert box_iou([found[0]], [solid.box])[0] > least


@pytest.mark.parametrize("name", CASES)
def test_noise_in_every_pixel_does_little(name: str) -> None:
    solid, least = CASES[name]
    found = boxes([solid], camera_at(EYE), noise=0.004)
    assert box_iou([found[0]], [solid.box])[0] > least - 0.2


@pytest.mark.parametrize("size", [(320, 240), (1280, 960)])
def test_the_size_of_the_image_does_little(size: tuple[int, int]) -> None:
    solid, least = CASES["cuboid"]
    assert box_iou([boxes([solid], camera_at(EYE, size))[0]], [solid.box])[0] > least - 0.1


def test_a_lying_can_is_completed_away_from_the_camera() -> None:
    camera = camera_at((-0.6, 0.0, 0.5))
    lying = Solid("can", "cuboid", (0.07, 0.2, 0.07))
    assert box_iou([boxes([lying], camera)[0]], [lying.box])[0] > 0.8


def test_a_lying_knife_is_measured_by_its_outline_not_its_depth() -> None:
    camera = camera_at(EYE)
    knife = Solid("knife", "cuboid", (0.2, 0.02, 0.003), yaw=0.3)
    ids, depth_m, category_of = view([knife], camera)
    depth_m[ids == 2] *= np.float32(0.99)  # 8 mm too near, nearly three times its thickness
    found = fit_boxes(ids, category_of, depth_m, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)[2]
    assert box_iou([found.moved(camera.world_from_camera.matrix())], [knife.box])[0] > 0.7


def test_a_knife_on_another_thing_stays_there() -> None:
    book = Solid("book", "cuboid", (0.26, 0.2, 0.04))
    knife = Solid("knife", "cuboid", (0.2, 0.02, 0.006), lift_m=0.04)
    found = boxes([book, knife], camera_at(EYE))
    assert found[1].outer_from_box.position_m[2] == pytest.approx(0.043, abs=0.004)


def test_a_spoon_that_sticks_up_gets_its_own_axes() -> None:
    spoon = Solid("spoon", "cuboid", (0.03, 0.014, 0.18), lift_m=0.02)
    tilt = Pose((0.0, 0.0, 0.11), quaternion_about((0.0, 1.0, 0.0), 0.4))
    camera = camera_at(EYE)
    world_from_upright = tilt.matrix() @ inverse(spoon.box.outer_from_box.matrix())
    turned = replace(camera, world_from_camera=Pose.from_matrix(inverse(world_from_upright) @ camera.world_from_camera.matrix()))
    _, depth_m, _ = view([spoon], turned, table=False)
    table_ids, table_depth_m, category_of = view([], camera)
    ids = np.where(np.isfinite(depth_m), 2, table_ids).astype(np.int32)
    joined = np.where(np.isfinite(depth_m), depth_m, table_depth_m).astype(np.float32)
    category_of[2] = TAXONOMY.named("spoon").id
    found = fit_boxes(ids, category_of, joined, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)[2]
    assert box_iou([found.moved(camera.world_from_camera.matrix())], [OrientedBox(tilt, spoon.size_m)])[0] > 0.5


def test_every_box_is_upright_on_the_table() -> None:
    solids = [CASES["cuboid"][0], Solid("can", "cylinder", (0.07, 0.07, 0.11), at_m=(0.25, 0.2))]
    for box in boxes(solids, camera_at(EYE)).values():
        corners = box.corners()
        assert corners[:, 2].min() == pytest.approx(0.0, abs=2e-3)
        assert box.outer_from_box.matrix()[2, 2] == pytest.approx(1.0, abs=1e-4)


def test_a_thing_that_stands_on_another_is_not_pulled_down() -> None:
    raised = Solid("apple", "ball", (0.07, 0.07, 0.07), lift_m=0.15)
    bottom = boxes([raised], camera_at(EYE))[0].corners()[:, 2].min()
    assert bottom > 0.1


def test_without_a_table_the_box_stands_upright_in_the_image() -> None:
    camera = camera_at(EYE)
    ids, depth_m, category_of = view([CASES["cuboid"][0]], camera, table=False)
    box = fit_boxes(ids, category_of, depth_m, fx=camera.fx, fy=camera.fy, cx=camera.cx, cy=camera.cy)[2]
    up = box.outer_from_box.matrix()[:3, 2]
    np.testing.assert_allclose(up, [0, -1, 0], atol=1e-9)
    centre = camera.project(np.array(box.outer_from_box.position_m))
    v, u = np.nonzero(ids == 2)
    np.testing.assert_allclose(centre, [u.mean(), v.mean()], atol=15)


def test_pixels_without_depth_and_specks_are_left_out() -> None:
    camera = camera_at(EYE)
    ids, depth_m, category_of = view([CASES["cuboid"][0]], camera)
    depth_m[::3] = np.inf
    depth_m[1::3, ::2] = np.nan
    ids[0, 0] = 9
    intrinsics = {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy}
    found = fit_boxes(ids, {**category_of, 9: 5}, depth_m, **intrinsics)
    assert set(found) == {2}
    assert fit_boxes(np.zeros_like(ids), {}, depth_m, **intrinsics) == {}
    assert fit_boxes(ids, {1: TABLE, 2: TABLE}, depth_m, **intrinsics) == {}


def test_the_same_input_gives_the_same_box() -> None:
    solid, camera = CASES["ball"][0], camera_at(EYE)
    assert boxes([solid], camera) == boxes([solid], camera)


class TestPlane:
    """The table's plane."""

    def points(self, rng: np.random.Generator, count: int = 800) -> NDArray[np.float64]:
        """Returns points on the plane 0.6 m below a camera that looks 40 degrees down."""
        tilt = math.radians(40)
        up = np.array([0.0, -math.cos(tilt), -math.sin(tilt)])
        rays = np.concatenate([rng.uniform(-0.5, 0.5, (count, 2)), np.ones((count, 1))], axis=1)
        return np.asarray(rays * (-0.6 / (rays @ up))[:, None])

    def test_exact_points_give_the_exact_plane(self, rng: np.random.Generator) -> None:
        points = self.points(rng)
        plane = fit_plane(points)
        assert plane is not None
        assert plane.camera_height_m == pytest.approx(0.6, abs=1e-9)
        np.testing.assert_allclose(plane.height_m(points), 0.0, atol=1e-9)
        assert plane.height_m(np.zeros(3)) == pytest.approx(0.6)

    def test_a_third_of_outliers_does_not_move_it(self, rng: np.random.Generator) -> None:
        points = self.points(rng)
        points[:260] *= rng.uniform(0.6, 0.95, (260, 1))
        plane = fit_plane(points * np.exp(rng.normal(0, 0.003, (len(points), 1))))
        assert plane is not None
        assert plane.camera_height_m == pytest.approx(0.6, abs=5e-3)

    def test_too_few_points_or_no_plane_at_all_is_none(self, rng: np.random.Generator) -> None:
        assert fit_plane(self.points(rng, 20)) is None
        cloud = np.concatenate([rng.uniform(-1, 1, (500, 2)), rng.uniform(0.3, 3, (500, 1))], axis=1)
        assert fit_plane(cloud) is None


