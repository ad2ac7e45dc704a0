"""What every simulator backend must satisfy, with answers known on paper; a backend's own test inherits it.

A subclass gives the fixture `backend`; tests of one class share one running simulator.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import Camera, look_at, points_in_camera
from scenes.errors import BackendError, SceneError
from scenes.motion import Push
from scenes.scene import Material, Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, transform_points
from sim.backend import Backend
from sim.frame import Frame, ObjectTruth
from tests.sim.little_scenes import ball, block, camera_above, floor, ring, scene_of

HALF = 0.05
# A box whose top is 1 m below a camera at 1 m: with 400 px it is 40 px wide.
SQUARE = block("square", (HALF, HALF, 0.1), (0.0, 0.0, -0.1))


def record(frame: Frame, name: str) -> ObjectTruth:
    """Returns the truth of the named body."""
    return next(r for r in frame.truth.objects if r.body_name == name)


def same(a: Frame, b: Frame) -> bool:
    """Returns whether two frames are equal in every byte and every record."""
    maps = [(f.rgb, f.truth.depth_m, f.truth.semantic, f.truth.instance) for f in (a, b)]
    return all(np.array_equal(x, y) for x, y in zip(*maps, strict=True)) and a.truth.objects == b.truth.objects


def tilted_camera(scale: float = 1.0) -> Camera:
    """Returns a camera of unequal focal lengths and an off-centre principal point that looks down at an angle."""
    pose = look_at(np.array([0.3, -0.9, 0.7]), np.array([0.0, 0.0, 0.05]), roll_rad=0.2)
    width, height = int(160 * scale), int(120 * scale)
    return Camera(
        name="tilted", width=width, height=height, fx=170 * scale, fy=150 * scale, cx=70 * scale, cy=66 * scale,
        world_from_camera=pose, near_m=0.05, far_m=10.0,
    )  # fmt: skip


class BackendConformance:
    """The tests; `backend` is a fixture of the subclass."""

    def test_without_a_scene_it_says_so(self, fresh_backend: Backend) -> None:
        with pytest.raises(BackendError, match="load"):
            fresh_backend.render(camera_above())
        with pytest.raises(BackendError, match="load"):
            fresh_backend.settle()
        fresh_backend.close()
        fresh_backend.close()
        with pytest.raises(BackendError, match="closed"):
            fresh_backend.load(scene_of(floor()))

    @pytest.mark.parametrize("height_m", [0.3, 1.5, 7.0])
    def test_depth_of_a_plane_is_its_distance(self, backend: Backend, height_m: float) -> None:
        backend.load(scene_of(floor()))
        truth = backend.render(camera_above(height_m)).truth
        np.testing.assert_allclose(truth.depth_m, height_m, rtol=1e-5)
        assert (truth.semantic == TAXONOMY.named("floor").id).all()
        assert not truth.instance.any()
        assert truth.objects == ()

    def test_depth_is_to_the_image_plane_for_any_intrinsics(self, backend: Backend) -> None:
        backend.load(scene_of(floor(half_m=20.0)))
        camera = tilted_camera()
        frame = backend.render(camera)
        world = transform_points(camera.world_from_camera.matrix(), camera.unproject(frame.truth.depth_m))
        assert np.isfinite(world).all()
        assert np.abs(world[..., 2]).max() < 1e-5

    def test_depth_of_a_sphere(self, backend: Backend) -> None:
        radius, camera = 0.06, camera_above(0.6)
        backend.load(scene_of(ball("orange", radius, (0.01, -0.02, 0.1))))
        truth = backend.render(camera).truth
        rays = camera.unproject(np.ones(truth.depth_m.shape))
        center = points_in_camera(camera, np.array([0.01, -0.02, 0.1]))
        a, b, c = (rays**2).sum(-1), rays @ center, center @ center - radius**2
        hit = b**2 - a * c > 0.2 * a * radius**2
        expected = (b - np.sqrt(np.maximum(b**2 - a * c, 0)))[hit] / a[hit]
        np.testing.assert_allclose(truth.depth_m[hit], expected, atol=1e-4)
        missed = b**2 - a * c < 0
        assert np.isinf(truth.depth_m[missed]).all()
        assert not truth.semantic[missed].any()

    @pytest.mark.parametrize("shift", [-0.75, -0.25, 0.0, 0.25, 0.75])
    def test_pixel_centres_are_integers(self, backend: Backend, shift: float) -> None:
        camera = camera_above(cx=31.5 + shift, cy=23.5 - shift, fy=300.0)
        backend.load(scene_of(SQUARE))
        frame = backend.render(camera)
        u = (math.ceil(31.5 + shift - 20), math.floor(31.5 + shift + 20))
        v = (math.ceil(23.5 - shift - 15), math.floor(23.5 - shift + 15))
        expected = np.zeros((48, 64), dtype=bool)
        expected[v[0] : v[1] + 1, u[0] : u[1] + 1] = True
        np.testing.assert_array_equal(frame.truth.instance == 1, expected)
        assert record(frame, "square").visible_box_px == (u[0], v[0], u[1], v[1])

    def test_image_axes(self, backend: Backend) -> None:
        backend.load(
            scene_of(block("right", (0.01, 0.01, 0.01), (0.04, 0, 0)), block("up", (0.01, 0.01, 0.01), (0, 0.04, 0)))
        )
        frame = backend.render(camera_above())
        assert record(frame, "right").amodal_box_px[0] > 40
        assert record(frame, "up").amodal_box_px[3] < 15

    def test_labels_and_depth_are_never_mixed_at_edges(self, backend: Backend) -> None:
        camera = camera_above(cx=31.3, cy=23.1)
        backend.load(scene_of(floor(), block("can", (HALF, HALF, 0.1), (0, 0, 0.1), "can")))
        truth = backend.render(camera).truth
        can = TAXONOMY.named("can").id
        assert set(np.unique(truth.semantic)) == {TAXONOMY.named("floor").id, can}
        np.testing.assert_allclose(truth.depth_m, np.where(truth.semantic == can, 0.8, 1.0), rtol=2e-6)

    def test_half_covered(self, backend: Backend) -> None:
        lid = block("lid", (0.2, 0.2, 0.01), (0.2, 0.0, 0.3), "plate")
        backend.load(scene_of(floor(), SQUARE_ON_FLOOR, lid))
        below = record(backend.render(camera_above(1.1)), "square")
        assert below.visible_fraction == 0.5
        assert below.amodal_box_px == (12, 4, 51, 43)
        assert below.visible_box_px == (12, 4, 31, 43)

    def test_hidden_and_out_of_view(self, backend: Backend) -> None:
        lid = block("lid", (0.2, 0.2, 0.01), (0.0, 0.0, 0.3), "plate")
        away = block("away", (0.05, 0.05, 0.05), (3.0, 0.0, 0.05), "can")
        behind = block("behind", (0.05, 0.05, 0.05), (0.0, 0.0, 2.0), "can")
        backend.load(scene_of(SQUARE_ON_FLOOR, lid, away, behind))
        frame = backend.render(camera_above(1.1))
        below = record(frame, "square")
        assert (below.visible_fraction, below.visible_box_px, below.amodal_box_px) == (0.0, None, (12, 4, 51, 43))
        assert [r.body_name for r in frame.truth.objects] == ["square", "lid"]
        assert [r.instance_id for r in frame.truth.objects] == [1, 2]

    def test_3d_box_projects_around_the_mask(self, backend: Backend) -> None:
        camera = tilted_camera()
        backend.load(
            scene_of(
                floor(), block("box_01", (0.05, 0.08, 0.03), (0.05, 0.1, 0.2)), ball("orange_01", 0.04, (-0.1, 0, 0.1))
            )
        )
        frame = backend.render(camera)
        for truth, slack in ((record(frame, "box_01"), 1.0), (record(frame, "orange_01"), 12.0)):
            pixels = camera.project(points_in_camera(camera, truth.box_world.corners()))
            low, high = np.array(truth.amodal_box_px[:2]), np.array(truth.amodal_box_px[2:])
            assert (pixels.min(axis=0) <= low).all()
            assert (pixels.max(axis=0) >= high).all()
            assert (low - pixels.min(axis=0) < slack).all()
            assert (pixels.max(axis=0) - high < slack).all()
        np.testing.assert_allclose(record(frame, "box_01").box_world.size_m, (0.1, 0.16, 0.06))

    def test_texture_row_zero_is_at_v_one(self, backend: Backend) -> None:
        texture = np.zeros((64, 64, 3), dtype=np.uint8)
        texture[:32, :, 0] = 255
        texture[32:, :, 1] = 255
        texture[:, 32:, 2] = 255
        backend.load(scene_of(floor(Material(texture=texture), half_m=0.07)))
        rgb = backend.render(camera_above()).rgb.astype(int)
        corners = {"top left": rgb[6, 8], "bottom left": rgb[41, 8], "top right": rgb[6, 55]}
        assert np.argmax(corners["top left"]) == 0
        assert np.argmax(corners["bottom left"]) == 1
        assert corners["top right"][2] > 3 * corners["top left"][2]
        assert corners["top right"][0] > 100

    def test_shading_follows_the_normals(self, backend: Backend) -> None:
        backend.load(scene_of(block("box_01", (0.1, 0.1, 0.1), (0, 0, 0))))
        camera = tilted_camera()
        rgb = backend.render(camera).rgb[..., 0].astype(int)
        points = points_in_camera(
            camera, np.array([[0.06, 0.06, 0.1], [-0.06, -0.06, 0.1], [0.0, -0.1, 0.0], [0.05, -0.1, 0.05]])
        )
        top_a, top_b, side_a, side_b = (rgb[round(v), round(u)] for u, v in camera.project(points))
        assert abs(top_a - top_b) < 6
        assert abs(side_a - side_b) < 6
        assert top_a > side_a + 30

    def test_a_scene_does_not_depend_on_those_before_it(self, backend: Backend, fresh_backend: Backend) -> None:
        one = scene_of(
            floor(),
            ball("orange_01", 0.04, (0, 0, 0.1), dynamic=True),
            block("a", (0.03,) * 3, (0.1, 0, 0.05), dynamic=True),
        )
        other = scene_of(floor(), ring(0.1, 0.06), ball("orange_01", 0.03, (0.02, 0, 0.2), dynamic=True), index=1)
        first, _, again = (_settled(backend, scene) for scene in (one, other, one))
        elsewhere = _settled(fresh_backend, one)
        assert first[0] == again[0] == elsewhere[0]
        assert same(first[1], again[1])
        assert same(first[1], elsewhere[1])

    def test_what_settled_is_what_is_seen(self, backend: Backend) -> None:
        scene = scene_of(
            floor(),
            ball("orange_01", 0.04, (0, 0, 0.1), dynamic=True),
            block("a", (0.03,) * 3, (0.1, 0, 0.05), dynamic=True),
        )
        poses, frame = _settled(backend, scene)
        assert {r.body_name: r.world_from_body for r in frame.truth.objects} == poses
        backend.load(scene.with_poses(poses))
        assert same(frame, backend.render(tilted_camera()))

    def test_a_ball_comes_to_rest_in_a_ring(self, backend: Backend) -> None:
        backend.load(scene_of(floor(), ring(0.1, 0.06), ball("orange_01", 0.03, (0.05, 0.02, 0.15), dynamic=True)))
        report = backend.settle()
        assert report.accepted, report.reason()
        x, y, z = report.world_from_body["orange_01"].position_m
        assert math.hypot(x, y) < 0.1 - 0.03 + 1e-3
        assert abs(z - 0.03) < 2e-3
        assert 0.3 <= report.time_s <= 4.0

    def test_a_stack_stays_where_it_is_put(self, backend: Backend) -> None:
        backend.load(
            scene_of(
                floor(), *(block(f"b{i}", (0.04, 0.04, 0.02), (0, 0, 0.02 + 0.041 * i), dynamic=True) for i in range(4))
            )
        )
        report = backend.settle()
        assert report.accepted, report.reason()
        heights = [report.world_from_body[f"b{i}"].position_m[2] for i in range(4)]
        np.testing.assert_allclose(heights, 0.02 + 0.04 * np.arange(4), atol=2e-3)

    def test_lost_and_unsettled_are_told(self, backend: Backend) -> None:
        kept = block("kept", (0.03,) * 3, (0, 0, 0.031), dynamic=True)
        backend.load(scene_of(floor(), kept, block("beside", (0.03,) * 3, (0.8, 0, 0.031), dynamic=True)))
        report = backend.settle()
        assert (report.at_rest, report.lost, report.accepted) == (True, ("beside",), False)
        assert "beside" in report.reason()
        backend.load(scene_of(floor(), kept, block("falling", (0.03,) * 3, (0.2, 0, 200.0), dynamic=True)))
        report = backend.settle()
        assert not report.at_rest
        assert report.max_speed_m_s > 10
        assert not report.accepted

    def test_placed_bodies_stand_where_they_are_put(self, backend: Backend) -> None:
        first, second = (block(name, (0.02,) * 3, (x, 0, 0.02), dynamic=True) for name, x in (("a", -0.05), ("b", 0.05)))
        backend.load(scene_of(floor(), first, second))
        pose = Pose((0.0, 0.03, 0.1), (math.cos(0.2), 0.0, 0.0, math.sin(0.2)))
        backend.place({"a": pose})
        frame = backend.render(camera_above())
        assert record(frame, "a").world_from_body == pose
        assert record(frame, "b").world_from_body == second.world_from_body
        backend.load(scene_of(floor(), replace(first, world_from_body=pose), second))
        loaded = backend.render(camera_above())
        np.testing.assert_array_equal(frame.truth.instance, loaded.truth.instance)
        np.testing.assert_allclose(frame.truth.depth_m, loaded.truth.depth_m, rtol=1e-5)
        with pytest.raises(SceneError, match=r"nobody.*a, b"):
            backend.place({"nobody": pose})

    def test_a_push_flies_by_gravity_and_is_undone(self, backend: Backend) -> None:
        scene = scene_of(block("a", (0.03,) * 3, (0, 0, 1.0), dynamic=True))
        backend.load(scene)
        before = backend.render(camera_above(2.0))
        push = Push(body_name="a", velocity_m_s=(0.4, 0.0, 0.0), angular_velocity_rad_s=(0.0, 0.0, 1.0))
        start, later = backend.play([push], [0.0, 0.2])
        assert start["a"] == scene.bodies[0].world_from_body
        np.testing.assert_allclose(later["a"].position_m, (0.08, 0.0, 1.0 - 9.81 * 0.02), atol=5e-3)
        assert 2 * math.asin(later["a"].quaternion_wxyz[3]) == pytest.approx(0.2, abs=5e-3)
        assert same(before, backend.render(camera_above(2.0)))
        with pytest.raises(SceneError, match="nobody"):
            backend.play([replace(push, body_name="nobody")], [0.1])

    def test_layers_hold_what_is_hidden_and_which_part_is_seen(self, backend: Backend) -> None:
        lid = block("lid", (0.2, 0.2, 0.01), (0.2, 0.0, 0.3), "plate")
        backend.load(scene_of(floor(), SQUARE_ON_FLOOR, lid))
        frame = backend.render(camera_above(1.1))
        layers = backend.layers(camera_above(1.1))
        square = next(mask for mask in layers.amodal if mask.instance_id == record(frame, "square").instance_id)
        whole = np.zeros((48, 64), dtype=bool)
        whole[4:44, 12:52] = True
        np.testing.assert_array_equal(square.full(48, 64), whole)
        np.testing.assert_array_equal(layers.parts, np.array([1, 2, 3])[frame.truth.instance])

    def test_any_image_size(self, backend: Backend) -> None:
        backend.load(scene_of(floor(), SQUARE_ON_FLOOR))
        small, large = (backend.render(tilted_camera(scale)) for scale in (1.0, 6.0))
        assert large.rgb.shape == (720, 960, 3)
        ratio = (large.truth.instance == 1).sum() / (small.truth.instance == 1).sum()
        assert abs(ratio - 36) < 3
        assert same(small, backend.render(tilted_camera()))

    def test_frame_says_scene_and_view(self, backend: Backend) -> None:
        scene = scene_of(floor(), index=7)
        backend.load(scene)
        assert backend.render(scene.cameras[0]).name == f"{scene.id}/above"


SQUARE_ON_FLOOR = block("square", (HALF, HALF, 0.05), (0.0, 0.0, 0.05))


def _settled(backend: Backend, scene: Scene) -> tuple[dict, Frame]:
    backend.load(scene)
    report = backend.settle()
    assert report.accepted, report.reason()
    return dict(report.world_from_body), backend.render(tilted_camera())
