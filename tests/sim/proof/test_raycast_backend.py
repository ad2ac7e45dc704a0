"""The ray caster passes every promise of a backend that is about geometry, and says that it knows no physics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scenes.errors import BackendError
from sim.backend import Backend, open_backend
from sim.proof.agreement import compare_frames
from sim.realize import realize
from tests.sim.backend_conformance import BackendConformance
from tests.sim.little_scenes import camera_above, floor, scene_of


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    started = open_backend("raycast")
    yield started
    started.close()


@pytest.fixture
def fresh_backend() -> Iterator[Backend]:
    started = open_backend("raycast")
    yield started
    started.close()


class TestRaycastBackend(BackendConformance):
    """All promises but those of physics and of looks."""

    test_texture_row_zero_is_at_v_one = None  # type: ignore[assignment]  # it paints categories, not textures
    test_any_image_size = None  # type: ignore[assignment]  # a second or two for a large image: below, small ones
    test_shading_follows_the_normals = None  # type: ignore[assignment]  # it shades by depth, without normals
    test_a_scene_does_not_depend_on_those_before_it = None  # type: ignore[assignment]  # no physics, from here on
    test_what_settled_is_what_is_seen = None  # type: ignore[assignment]
    test_a_ball_comes_to_rest_in_a_ring = None  # type: ignore[assignment]
    test_a_stack_stays_where_it_is_put = None  # type: ignore[assignment]
    test_lost_and_unsettled_are_told = None  # type: ignore[assignment]
    test_placed_bodies_stand_where_they_are_put = None  # type: ignore[assignment]  # it loads the moved scene instead
    test_a_push_flies_by_gravity_and_is_undone = None  # type: ignore[assignment]
    test_layers_hold_what_is_hidden_and_which_part_is_seen = None  # type: ignore[assignment]

    def test_small_images_of_any_size(self, backend: Backend) -> None:
        backend.load(scene_of(floor()))
        for width, height in ((33, 17), (17, 65)):
            frame = backend.render(camera_above().resized(width, height))
            assert frame.rgb.shape == (height, width, 3)
            assert abs(frame.truth.depth_m - 1).max() < 1e-6

    def test_it_does_not_pretend_to_settle(self, backend: Backend) -> None:
        backend.load(scene_of(floor()))
        with pytest.raises(BackendError, match=r"no physics.*settled poses"):
            backend.settle()
        assert backend.render(camera_above()).truth.semantic.min() > 0


def test_mujoco_and_rays_see_the_same_scene() -> None:
    mujoco, rays = open_backend("mujoco"), open_backend("raycast")
    scene, _ = realize(mujoco, "tabletop", split="val", seed=2, index=3)
    rays.load(scene)
    for camera in scene.cameras:
        small = camera.resized(160, 120)
        found = compare_frames(mujoco.render(small), rays.render(small))
        assert found.complaints() == []
        assert found.agreement.share == 1
        assert found.agreement.checked > 10_000
        assert found.agreement.depth_median_error_m is not None
        assert found.agreement.depth_median_error_m < 1e-6
        assert found.edge_share < 0.01
    mujoco.close()
    rays.close()
