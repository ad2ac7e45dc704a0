"""A depth camera's errors against the formulas that they are said to follow, on planes, steps and holes known on paper."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from scenes.camera import Camera
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim.frame import Truth
from sim.sensors.depth import read_depth, sigma_z_m
from sim.sensors.losses import LOST, shadowed, surface_loss
from sim.sensors.profile import DepthSpec
from sim.sensors.randomness import normal_cdf, normal_field, stream, uniform_field
from sim.sensors.surface import depth_edges, incidence_rad, inverse_depth

CAMERA = Camera(name="c", width=320, height=240, fx=300.0, fy=300.0, cx=159.5, cy=119.5, world_from_camera=Pose(), far_m=100)
QUIET = DepthSpec(shadow=False, min_m=0.0, max_m=200.0)


def truth_of(depth_m: np.ndarray, category: str = "table") -> Truth:
    semantic = np.full(depth_m.shape, TAXONOMY.named(category).id, dtype=np.uint8)
    return Truth(
        depth_m=depth_m.astype(np.float32), semantic=semantic, instance=np.zeros(depth_m.shape, np.uint16), objects=()
    )


def read(depth_m: np.ndarray, spec: DepthSpec, *, key: object = "frame", native_width_px: int | None = None):
    light = np.full(depth_m.shape, 0.5, dtype=np.float32)
    return read_depth(
        truth_of(depth_m), CAMERA, spec, light=light, shine=np.zeros(1, np.float32), native_width_px=native_width_px, key=(key,)
    )  # fmt: skip


def flat(z: float) -> np.ndarray:
    return np.full((240, 320), z)


def plane(normal: tuple[float, float, float], distance: float) -> np.ndarray:
    """Returns the planar depth of the plane n . p = distance."""
    rays = CAMERA.unproject(np.ones((240, 320)))
    return distance / (rays @ (np.array(normal) / np.linalg.norm(normal)))


def test_a_perfect_sensor_gives_the_truth():
    depth_m = plane((0.1, -0.4, 1.0), 0.9)
    np.testing.assert_allclose(read(depth_m, QUIET).depth_m, depth_m, rtol=1e-6)


@pytest.mark.parametrize("z", [0.5, 1.0, 2.0, 3.0])
def test_noise_of_disparity_grows_with_the_square_of_the_distance(z):
    spec = replace(QUIET, baseline_m=0.05, disparity_noise_px=0.08)
    error = read(flat(z), spec).depth_m.astype(np.float64) - z
    expected = z * z * 0.08 / (300.0 * 0.05)
    assert error.std() == pytest.approx(expected, rel=0.04)
    assert sigma_z_m(np.array(z), 300.0, spec) == pytest.approx(expected)
    assert abs(error.mean()) < 0.1 * expected + 3e-5


def test_pixels_of_a_profile_are_those_of_its_native_width():
    spec = replace(QUIET, baseline_m=0.05, disparity_noise_px=0.08)
    error = read(flat(1.0), spec, native_width_px=640).depth_m - 1.0
    assert error.std() == pytest.approx(0.08 / (600.0 * 0.05), rel=0.04), "the real imager has twice the focal length"


def test_noise_that_is_alike_between_neighbours_has_the_same_size():
    spec = replace(QUIET, disparity_noise_px=0.08, noise_correlation_px=2.0)
    error = read(flat(1.0), spec).depth_m.astype(np.float64) - 1.0
    assert error.std() == pytest.approx(0.08 / (300.0 * 0.05), rel=0.08)
    assert np.corrcoef(error[:, :-1].ravel(), error[:, 1:].ravel())[0, 1] == pytest.approx(np.exp(-1 / 16), abs=0.03)


def test_disparity_comes_in_steps_whose_depths_spread_with_the_distance():
    spec = replace(QUIET, kind="structured_light", baseline_m=0.075, disparity_step_px=0.125)
    depth_m = np.linspace(0.8, 3.0, 240 * 320).reshape(240, 320)
    reading = read(depth_m, spec).depth_m
    steps = 300.0 * 0.075 / reading.astype(np.float64) / 0.125
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
    levels = np.unique(reading)
    gap = np.diff(levels) / levels[:-1] / levels[1:]
    np.testing.assert_allclose(gap, 0.125 / (300.0 * 0.075), rtol=1e-3)
    error = reading - depth_m
    far = depth_m > 2.5
    assert error[far].std() == pytest.approx(sigma_z_m(depth_m[far], 300.0, spec).mean(), rel=0.1)


@pytest.mark.parametrize("z", [0.6, 1.5, 3.0])
def test_time_of_flight_follows_its_polynomial(z):
    spec = replace(QUIET, kind="time_of_flight", axial_noise_m=(0.0012, 0.0019, 0.4))
    error = read(flat(z), spec).depth_m.astype(np.float64) - z
    assert error.std() == pytest.approx(0.0012 + 0.0019 * (z - 0.4) ** 2, rel=0.03)


def test_noise_at_grazing_incidence_follows_nguyen_izadi_and_lovell():
    angle = np.radians(70)
    depth_m = plane((0.0, np.sin(angle), np.cos(angle)), 0.4)
    spec = replace(QUIET, kind="time_of_flight", axial_noise_m=(0.0012, 0.0, 0.0), grazing_noise_m=0.0001)
    middle = np.s_[118:122, 150:170]
    error = np.stack([(read(depth_m, spec, key=k).depth_m - depth_m)[middle] for k in range(12)])
    z = depth_m[middle].mean()
    expected = 0.0012 + 0.0001 / np.sqrt(z) * angle**2 / (np.pi / 2 - angle) ** 2
    assert error.std() == pytest.approx(expected, rel=0.08)


def test_incidence_is_that_of_the_plane_and_planes_have_no_edges():
    normal = np.array([0.3, -0.7, 0.6]) / np.linalg.norm([0.3, -0.7, 0.6])
    depth_m = plane(tuple(normal), 0.5)
    inside = (depth_m > 0) & (depth_m < 20)
    inverse = inverse_depth(np.where(inside, depth_m, np.inf).astype(np.float64))
    rays = CAMERA.unproject(np.ones((240, 320)))
    expected = np.arccos(np.clip(rays @ normal / np.linalg.norm(rays, axis=-1), -1, 1))
    inner = np.zeros_like(inside)
    inner[1:-1, 1:-1] = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    np.testing.assert_allclose(incidence_rad(inverse, CAMERA)[inner], expected[inner], atol=1e-6)
    assert not depth_edges(inverse)[inner].any()


def test_grazing_surfaces_get_lost_between_the_two_angles():
    spec = replace(QUIET, grazing_deg=(60.0, 80.0))
    angles = np.radians([[50.0, 60.0, 70.0, 80.0, 85.0]])
    truth = truth_of(np.ones((1, 5)))
    share = surface_loss(truth, spec, angles, np.ones((1, 5), np.float32), np.zeros(1, np.float32))
    np.testing.assert_allclose(share, [[0, 0, 0.5, 1, 1]], atol=1e-9)


def test_dark_shiny_and_clear_surfaces_get_lost_with_the_stated_chance():
    spec = replace(
        QUIET, dark_level=0.1, dark_loss=0.8, shiny_loss=0.5, lost_by_category=(("wine glass", 0.9),), random_loss=0.0
    )
    glass = TAXONOMY.named("wine glass").id
    semantic = np.array([[1, 1, glass, 1]], dtype=np.uint8)
    truth = truth_of(np.ones((1, 4)))
    fake = replace_maps(truth, semantic, np.array([[0, 0, 1, 0]], dtype=np.uint16))
    light = np.array([[0.05, 0.5, 0.5, 0.0]], dtype=np.float32)
    share = surface_loss(fake, spec, np.zeros((1, 4)), light, np.array([0.0, 0.6], np.float32))
    np.testing.assert_allclose(share, [[0.4, 0, 1 - 0.1 * 0.7, 0.8]], atol=1e-6)


def replace_maps(truth: Truth, semantic: np.ndarray, instance: np.ndarray):
    """Returns something with the maps alone: records do not matter to losses."""

    class Maps:
        pass

    maps = Maps()
    maps.semantic, maps.instance, maps.depth_m = semantic, instance, truth.depth_m
    return maps


def test_losses_clump_and_keep_their_share():
    spec = replace(QUIET, random_loss=0.2, hole_px=2.0)
    lost = np.mean([(read(flat(1.0), spec, key=k).lost == LOST.index("surface")).mean() for k in range(6)])
    assert lost == pytest.approx(0.2, abs=0.02)


def test_the_other_imager_s_shadow_is_as_wide_as_the_difference_of_disparities():
    depth_m = flat(1.0)
    depth_m[80:160, 150:200] = 0.5
    hidden = shadowed(depth_m.astype(np.float32), CAMERA, 0.05)
    width = 300 * 0.05 / 0.5 - 300 * 0.05 / 1.0
    row = np.flatnonzero(hidden[120])
    beside = row[(row > 100)]
    assert beside.max() == 149
    assert abs(len(beside) - width) <= 1
    assert np.array_equal(row[row < 100], np.arange(15)), "f b / z columns lie beyond the other image's border"
    assert not hidden[40, 20:].any()
    assert hidden[:, 0].all()


def test_a_shadow_of_something_thin_leaves_what_is_beside_it():
    depth_m = flat(2.0)
    depth_m[:, 160:164] = 0.5
    hidden = shadowed(depth_m.astype(np.float32), CAMERA, 0.05)[100]
    columns = np.flatnonzero(hidden)
    columns = columns[columns > 20]
    assert 3 <= len(columns) <= 5, "as wide as the thing, not as the gap"
    assert columns.mean() == pytest.approx(161.5 - 22.5, abs=1.0)


def test_steep_planes_cast_no_shadow_on_themselves():
    depth_m = plane((0.6, 0.5, 0.6), 0.5)
    seen = (depth_m > 0.2) & (depth_m < 5)
    hidden = shadowed(np.where(seen, depth_m, np.inf).astype(np.float32), CAMERA, 0.05)
    column = np.arange(320) - 300 * 0.05 / np.where(seen, depth_m, 1)
    assert not hidden[seen & (column > 0)].any()


def test_edges_lose_returns_and_mix_depths_between_both_sides():
    depth_m = flat(1.0)
    depth_m[:, 160:] = 2.0
    reading = read(depth_m, replace(QUIET, edge_window_px=2, edge_loss=0.5, hole_px=0.0))
    lost = (reading.lost == LOST.index("edge")).mean(axis=0)
    assert lost[157:163].mean() == pytest.approx(0.5, abs=0.1)
    assert (lost[:157].max(), lost[163:].max()) == (0, 0)
    flying = read(depth_m, replace(QUIET, flying_pixels=0.6)).depth_m
    between = (flying > 1.001) & (flying < 1.999)
    assert between[:, 159:161].mean() == pytest.approx(0.6, abs=0.08)
    assert not between[:, :159].any()
    assert not between[:, 161:].any()
    assert ((flying >= 0.999) & (flying <= 2.001)).all()


def test_sideways_shifts_take_another_pixel_s_depth_and_never_a_mean():
    depth_m = flat(1.0)
    depth_m[:, 160:] = 2.0
    shifted = read(depth_m, replace(QUIET, lateral_noise_px=0.8)).depth_m
    assert set(np.unique(shifted)) == {1.0, 2.0}
    assert 0.05 < (shifted[:, 159] == 2.0).mean() < 0.5


def test_range_steps_and_what_is_not_there():
    depth_m = flat(1.2342)
    depth_m[0], depth_m[1], depth_m[2] = 0.2, 9.0, np.inf
    reading = read(depth_m, replace(QUIET, min_m=0.3, max_m=4.0, step_m=0.001))
    assert reading.depth_m.dtype == np.float32
    assert (reading.depth_m[:3] == 0).all()
    assert [LOST[reading.lost[i, 5]] for i in range(4)] == ["too near", "too far", "nothing there", ""]
    np.testing.assert_allclose(reading.depth_m[3:], np.float32(1.234), atol=1e-6)


def test_equal_keys_give_equal_readings_and_others_do_not():
    spec = replace(QUIET, disparity_noise_px=0.1, flying_pixels=0.2, lateral_noise_px=0.4, random_loss=0.1)
    first, again, other = (read(flat(1.0), spec, key=k).depth_m for k in ("a", "a", "b"))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


def test_streams_are_functions_of_their_key_alone():
    assert stream("a", 1).random() == stream("a", 1).random()
    assert len({stream(*key).random() for key in [("a", 1), ("a", 2), ("a1",), ("a", "1", ""), ("b", 1)]}) == 5


@pytest.mark.parametrize("correlation_px", [0.0, 1.0, 3.0])
def test_fields_have_variance_one_to_the_border_and_uniform_ones_are_uniform(correlation_px):
    fields = np.stack([normal_field((40, 60), correlation_px, rng=stream("field", k)) for k in range(300)])
    assert fields.std() == pytest.approx(1.0, abs=0.03)
    assert fields[:, 0].std() == pytest.approx(1.0, abs=0.05)
    uniform = np.stack([uniform_field((40, 60), correlation_px, rng=stream("u", k)) for k in range(300)])
    np.testing.assert_allclose(np.quantile(uniform, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.02)


def test_the_normal_law_is_that_of_the_error_function():
    z = np.linspace(-5, 5, 1001, dtype=np.float32)
    exact = [0.5 * math.erfc(-float(value) / math.sqrt(2)) for value in z]
    np.testing.assert_allclose(normal_cdf(z), exact, atol=1e-6)
