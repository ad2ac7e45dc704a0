"""Measured difficulty has the values that paper gives, survives the disk, and is there for old data sets too."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from scenes.errors import DatasetError
from scenes.scene import Material
from scenes.transforms import Pose, quaternion_about, transform_points
from sim.backend import open_backend
from sim.dataset import Dataset
from sim.difficulty.clearance import clearances_m
from sim.difficulty.colour import LINEAR_OF_SRGB, delta_e_2000, lab_of_linear
from sim.difficulty.measure import decode_difficulty, encode_difficulty, figure_of, measure
from sim.generate import GenerateSpec, generate
from sim.realize import realize
from tests.sim.little_scenes import ball, block, camera_above, floor, scene_of

WHITE, BLACK = Material(colour=(1.0, 1.0, 1.0)), Material(colour=(0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def backend():
    started = open_backend("mujoco")
    yield started
    started.close()


def measured(backend, *bodies, camera=None, clearance=False):
    scene = scene_of(*bodies)
    backend.load(scene)
    frame = backend.render(camera or camera_above())
    return {o.body_name: o for o in measure(frame, clearances_m(scene) if clearance else None)}, frame


def test_size_distance_and_visible_fraction(backend):
    found, _ = measured(backend, floor(), block("square", (0.05, 0.05, 0.02), (0, 0, 0.02)))
    square = found["square"]
    # its top, 0.96 m away, is 400 * 0.1 / 0.96 px wide; the middle of its box 0.98 m
    assert square.size_px == pytest.approx((40 / 0.96) ** 2, rel=0.04)
    assert square.distance_m == pytest.approx(0.98)
    assert square.visible_fraction == 1
    assert square.truncation == 0
    assert square.clearance_m is None  # nobody said


@pytest.mark.parametrize(("x", "beyond"), [(0.0, 0.0), (0.08, 0.5), (0.06, 0.3), (-0.08, 0.5)])
def test_truncation_is_the_share_of_the_outline_beyond_the_image(backend, x, beyond):
    found, _ = measured(backend, floor(), block("flat", (0.05, 0.05, 0.0005), (x, 0, 0.0005)))
    # the image is 64 px = 0.16 m wide at 1 m
    assert found["flat"].truncation == pytest.approx(beyond, abs=0.02)


def test_an_object_that_surrounds_the_camera_has_a_truncation(backend):
    found, _ = measured(backend, block("hall", (0.3, 0.3, 1.5), (0, 0, 0.0)))
    assert found["hall"].truncation > 0.5
    assert found["hall"].contrast is None  # no surroundings


def test_contrast_is_of_inside_against_the_ring_around(backend):
    found, frame = measured(backend, replace(floor(WHITE)), block("dark", (0.02, 0.02, 0.001), (0, 0, 0.001), look=BLACK))
    dark = found["dark"]
    mine = frame.truth.instance == dark.instance_id
    ring = np.zeros_like(mine)
    v, u = np.nonzero(mine)
    ring[v.min() - 2 : v.max() + 3, u.min() - 2 : u.max() + 3] = True
    ring &= ~mine
    inside, outside = (lab_of_linear(LINEAR_OF_SRGB[frame.rgb[m]].mean(axis=0)) for m in (mine, ring))
    assert dark.contrast == pytest.approx(delta_e_2000(inside, outside), abs=1e-3)
    assert dark.contrast > 40
    same, _ = measured(backend, floor(WHITE), block("white", (0.02, 0.02, 0.0002), (0, 0, 0.0002), look=WHITE))
    assert same["white"].contrast < 5


def test_what_is_hidden_has_no_contrast_and_no_size(backend):
    lid, under = block("lid", (0.1, 0.1, 0.01), (0, 0, 0.2)), block("under", (0.02, 0.02, 0.02), (0, 0, 0.02))
    found, _ = measured(backend, floor(), lid, under)
    assert (found["under"].size_px, found["under"].contrast, found["under"].visible_fraction) == (0, None, 0)


def test_clearance_of_balls_is_between_their_surfaces():
    scene = scene_of(
        floor(), ball("a", 0.05, (0, 0, 0.05)), ball("b", 0.02, (0.1, 0, 0.05)), ball("c", 0.03, (0.3, 0.4, 0.05)),
        ball("d", 0.03, (0.3, 0.4, 0.09)),
    )  # fmt: skip
    found = clearances_m(scene)
    assert found.keys() == {"a", "b", "c", "d"}
    assert found["a"] == found["b"] == pytest.approx(0.03, abs=1e-6)
    assert found["c"] == found["d"] == 0  # one in the other


def test_clearance_of_turned_boxes_agrees_with_trimesh(rng):
    trimesh, spatial = pytest.importorskip("trimesh"), pytest.importorskip("scipy.spatial")
    half = (0.03, 0.02, 0.05)
    for _ in range(5):
        poses = [
            Pose(tuple(map(float, centre)), quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, 3))))
            for centre in (rng.uniform(-0.02, 0.02, 3), rng.uniform(0.1, 0.2, 3))
        ]
        bodies = [replace(block(f"b{k}", half, (0, 0, 0)), world_from_body=pose) for k, pose in enumerate(poses)]
        found = clearances_m(scene_of(*bodies))["b0"]
        boxes = [trimesh.creation.box(extents=np.multiply(half, 2), transform=pose.matrix()) for pose in poses]
        dense = [box.subdivide_to_size(0.006).vertices for box in boxes]
        nearest = float(spatial.cKDTree(dense[0]).query(dense[1])[0].min())
        assert nearest - 6e-3 <= found <= nearest + 1e-6


def test_clearance_needs_two():
    assert clearances_m(scene_of(floor(), ball("a", 0.05, (0, 0, 0.05)))) == {"a": None}
    bare = replace(ball("bare", 0.05, (0, 0, 0.5)), colliders=())
    found = clearances_m(scene_of(bare, ball("a", 0.05, (0, 0, 0.05)), ball("b", 0.05, (1, 0, 0.05))))
    assert found == {"bare": None, "a": pytest.approx(0.9), "b": pytest.approx(0.9)}


def test_clearance_on_a_tabletop_is_below_the_distance_of_the_meshes(backend):
    scene, _ = realize(backend, "tabletop", split="test", seed=4, index=1)
    found = clearances_m(scene)
    clouds = {}
    for body in scene.things:
        points = np.concatenate([part.mesh.vertices[part.mesh.faces].mean(axis=1) for part in body.parts])
        clouds[body.name] = transform_points(body.world_from_body.matrix(), points)
    for name, clearance in found.items():
        others = np.concatenate([points for other, points in clouds.items() if other != name])
        sampled = min(float(np.linalg.norm(others - p, axis=1).min()) for p in clouds[name][::3])
        assert 0 <= clearance <= sampled + 0.004
        assert clearance >= sampled - 0.05  # triangles are a few centimetres wide


def test_it_survives_the_disk():
    values = measure_random()
    data = encode_difficulty(values, 7)
    assert list(data) == ["difficulty_0007.json"]
    assert decode_difficulty(data["difficulty_0007.json"], "x") == values
    with pytest.raises(DatasetError, match="Cannot read x: 'visible_fraction'"):
        decode_difficulty(b'{"objects": [{"instance_id": 1, "body_name": "a", "clearance_m": 0, "contrast": 0}]}', "x")


def measure_random():
    from tests.sim.fake_frames import make_frame

    return measure(make_frame(np.random.default_rng(1)), {"hidden_thing": 0.25})


def test_a_figure_by_its_name():
    hidden = next(o for o in measure_random() if o.body_name == "hidden_thing")
    assert figure_of(hidden, "clearance_m") == 0.25
    assert figure_of(hidden, "contrast") is None
    with pytest.raises(ValueError, match="visible_fraction, size_px"):
        figure_of(hidden, "mood")


def test_a_data_set_has_it_and_an_old_one_is_measured(tmp_path):
    out = tmp_path / "data"
    generate(
        GenerateSpec(suite="tabletop", out=out, frames=1, split="test", seed=4, size=(96, 72), workers=1, stages=False),
        progress=False,
    )
    dataset = Dataset.open(out)
    recorded = dataset.difficulties(0)
    assert [o.instance_id for o in recorded] == [r.instance_id for r in dataset[0].truth.objects]
    assert all(o.clearance_m is not None for o in recorded)
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["frames"][0]["files"]["difficulty_0000.json"], manifest["frames"][0]["agreement"]
    (out / "manifest.json").write_text(json.dumps(manifest | {"schema_version": 1}))
    old = Dataset.open(out)
    assert old.difficulties(0) == tuple(replace(o, clearance_m=None) for o in recorded)
    assert old.manifest.frames[0].agreement is None
