"""PoseWriter's three formats: the known camera-frame error is found and repaired on real files; right files are left alone."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from scenes.camera import points_in_camera
from scenes.errors import DatasetError
from scenes.transforms import quaternion_from_rotation
from sim.dataset import Dataset
from sim.inspect import inspect_dataset
from sim.readers.foreign import NominalCamera
from sim.readers.pose_writer import PoseWriterReader

DOPE = ["LUF", "RUF", "RDF", "LDF", "LUB", "RUB", "RDB", "LDB", "Center"]
LABELS = '[labels]\ncube = "box"\ncube_rotated = "book"\ncube_scaled = "can"\n'


@pytest.fixture
def real(shared_dir, tmp_path):
    return shutil.copytree(shared_dir / "fixtures" / "isaac" / "pose_writer_pinhole", tmp_path / "poses")


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.toml"
    path.write_text(LABELS)
    return path


def reader(folder) -> PoseWriterReader:
    found = Dataset.open(folder).reader
    assert isinstance(found, PoseWriterReader)
    return found


def edit(folder, change):
    for path in sorted(folder.rglob("0*.json")):
        values = json.loads(path.read_bytes())
        change(values)
        path.write_text(json.dumps(values, indent=2))


def test_the_known_error_is_found_and_repaired_on_real_files(real, labels):
    found = Dataset.open(real, labels=labels)
    assert found.remarks["camera-frame poses"] == (
        "4 of 6 were wrong (4 by the known error, view @ local_to_world), by 1.3 to 14.9 m and up to 113 degrees; "
        "repaired from the keypoints"
    )
    scaled = next(thing for thing in reader(real).pose_file(1).objects if thing.label == "cube_scaled")
    values = json.loads((real / "rp2" / "000000.json").read_bytes())["objects"][2]
    np.testing.assert_allclose(values["location_camera_frame"], (-1.298, 10.464, -1.072), atol=1e-3)
    np.testing.assert_allclose(np.array(scaled.camera_from_body.position_m) * (1, -1, -1), (0, 1.155, -10.614), atol=1e-3)
    assert scaled.error_m == pytest.approx(np.linalg.norm(np.subtract((-1.298, 10.464, -1.072), (0, 1.155, -10.614))), abs=2e-3)
    assert scaled.camera_from_box.size_m == pytest.approx((1.5, 0.5, 1.0), abs=1e-6)
    assert (scaled.wrong, scaled.known_error) == (True, True)


def test_boxes_and_cameras_of_real_files_hit_the_projected_corners(real, labels):
    for number, frame in enumerate(Dataset.open(real, labels=labels)):
        things = reader(real).pose_file(number).objects
        assert len(frame.truth.objects) == len(things) == 3
        assert frame.camera.fx == pytest.approx(586.3994, abs=1e-3)
        for record, thing in zip(frame.truth.objects, things, strict=True):
            pixels = frame.camera.project(points_in_camera(frame.camera, record.box_world.corners())) + 0.5
            for corner in thing.corners_px[1:]:
                assert np.abs(pixels - corner).max(axis=1).min() <= 0.51
            assert record.visible_fraction == thing.visible_fraction
    world = Dataset.open(real, labels=labels)[1].truth.objects[2]
    np.testing.assert_allclose(world.world_from_body.position_m, (1, 1, 0), atol=1e-4)


def test_a_corrected_file_is_recognised_and_left_alone(real):
    def correct(values):
        view = np.array(values["camera_data"]["camera_view_matrix"])
        for thing in values["objects"]:
            true = np.array(thing["local_to_world_transform"]) @ view
            rows = true[:3, :3] / np.linalg.norm(true[:3, :3], axis=1)[:, None]
            thing["location_camera_frame"] = true[3, :3].tolist()
            thing["rotation_matrix_camera_frame"] = true[:3, :3].tolist()
            thing["quat_wxyz_camera_frame"] = list(quaternion_from_rotation(rows.T))

    before = [thing.camera_from_body for thing in reader(real).pose_file(1).objects]
    edit(real, correct)
    found = Dataset.open(real)
    assert found.remarks["camera-frame poses"] == "all 6 agree with the keypoints and are left alone"
    assert [thing.camera_from_body for thing in reader(real).pose_file(1).objects] == before


def test_a_pose_that_is_wrong_in_another_way_is_wrong_but_not_by_the_known_error(real):
    edit(real, lambda values: values["objects"][0].update(location_camera_frame=[0, 0, 1]))
    assert "6 of 6 were wrong (4 by the known error" in Dataset.open(real).remarks["camera-frame poses"]


def quaternion_xyzw(rows):
    w, x, y, z = quaternion_from_rotation(np.array(rows).T)
    return [x, y, z, w]


def as_centerpose(values, *, corrected=False):
    """Makes of a default file the one that the format centerpose has of the same scene."""
    view = np.array(values["camera_data"]["camera_view_matrix"])
    things = []
    for thing in values["objects"]:
        local_to_world = np.array(thing["local_to_world_transform"])
        pose = local_to_world @ view if corrected else view @ local_to_world
        quaternion = thing["quat_wxyz_camera_frame"]
        if corrected:
            rows = pose[:3, :3] / np.linalg.norm(pose[:3, :3], axis=1)[:, None]
            quaternion = list(quaternion_from_rotation(rows.T))
        things.append({
            "label": thing["label"], "prim_path": thing["prim_path"], "visibility": thing["visibility"],
            "location": pose[3, :3].tolist(), "quaternion_xyzw": [*quaternion[1:], quaternion[0]], "scale": thing["size"],
            "keypoints_3d": thing["cuboid_keypoints_camera_frame"], "projected_cuboid": thing["cuboid_keypoints_projected"],
            "truncation_ratio": 0.0,
        })  # fmt: skip
    values["objects"] = things
    about = values["camera_data"]
    about["width"], about["height"] = about.pop("resolution")
    for key in ("aperture", "aperture_offset", "focal_length", "meters_per_scene_unit"):
        del about[key]


def as_dope(values, *, corrected=False):
    """Makes of a default file the one that the format dope has of the same scene."""
    names = values["keypoint_order"]
    as_centerpose(values, corrected=corrected)
    for thing in values["objects"]:
        thing["class"] = thing.pop("label")
        thing["projected_cuboid"] = [thing["projected_cuboid"][names.index(name)] for name in DOPE]
        del thing["keypoints_3d"], thing["scale"]
    values["keypoint_order"] = DOPE
    del values["camera_data"]["width"], values["camera_data"]["height"]


@pytest.mark.parametrize("corrected", [False, True])
def test_centerpose_is_judged_by_its_3d_keypoints(real, corrected):
    wanted = [[thing.camera_from_box for thing in reader(real).pose_file(k).objects] for k in range(2)]
    edit(real, lambda values: as_centerpose(values, corrected=corrected))
    found = Dataset.open(real)
    assert found.remarks["format"] == "centerpose"
    said = found.remarks["camera-frame poses"]
    assert said.startswith("all 6 agree" if corrected else "4 of 6 were wrong (4 by the known error")
    assert [[thing.camera_from_box for thing in reader(real).pose_file(k).objects] for k in range(2)] == wanted
    assert "metres are assumed" in found.remarks["units"]


@pytest.mark.parametrize("corrected", [False, True])
def test_dope_is_judged_by_the_box_that_its_corners_allow(real, corrected):
    wanted = [[thing.camera_from_box for thing in reader(real).pose_file(k).objects] for k in range(2)]
    edit(real, lambda values: as_dope(values, corrected=corrected))
    found = Dataset.open(real)
    assert found.remarks["format"] == "dope"
    expected = "all 6 agree" if corrected else "4 of 6 were wrong (4 by the known error"
    assert found.remarks["camera-frame poses"].startswith(expected)
    for number in range(2):
        for thing, box in zip(reader(real).pose_file(number).objects, wanted[number], strict=True):
            # A pixel is 17 mm there, and corners are rounded to whole pixels.
            np.testing.assert_allclose(thing.camera_from_box.size_m, box.size_m, atol=0.03)
            middle = thing.camera_from_box.outer_from_box.position_m
            np.testing.assert_allclose(middle, box.outer_from_box.position_m, atol=1e-4)
            assert thing.wrong == (not corrected and thing.label != "cube")


def test_a_dope_pose_that_fits_its_corners_in_no_way_is_not_used(real):
    def spoil(values):
        as_dope(values)
        values["objects"][1]["quaternion_xyzw"] = [0.5, 0.5, 0.5, 0.5]

    edit(real, spoil)
    found = Dataset.open(real)
    assert "2 cannot be judged by their corners" in found.remarks["camera-frame poses"]
    thing = reader(real).pose_file(1).objects[1]
    assert (thing.judged, thing.wrong, thing.camera_from_box, thing.camera_from_body) == (False, False, None, None)


def test_dope_says_the_turn_but_no_size_of_an_object_whose_origin_is_not_its_middle(real):
    def shift(values):
        as_dope(values, corrected=False)
        about = values["camera_data"]
        view = np.array(about["camera_view_matrix"])
        local = np.eye(4)
        local[:3, :3] = np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
        local[3, :3] = 0.5, -0.4, 0.3
        letters = {"L": 0.0, "R": 1.0, "D": 0.0, "U": 0.7, "B": 0.0, "F": 1.3}
        corners = [[0.5, 0.35, 0.65] if name == "Center" else [letters[k] for k in name] for name in DOPE]
        points = np.c_[corners, np.ones(9)] @ local @ view
        focal = about["intrinsics"]["fx"]
        pixels = np.stack([256 - focal * points[:, 0] / points[:, 2], 256 + focal * points[:, 1] / points[:, 2]], axis=1)
        wrong = view @ local
        values["objects"] = [{
            "class": "cube", "prim_path": "/World/A", "visibility": 1.0, "location": wrong[3, :3].tolist(),
            "quaternion_xyzw": quaternion_xyzw(wrong[:3, :3]), "projected_cuboid": pixels.round().tolist(),
        }]  # fmt: skip
        values["true"] = (local @ view).tolist()

    edit(real, shift)
    for number, name in enumerate(("rp1", "rp2")):
        (thing,) = reader(real).pose_file(number).objects
        true = np.array(json.loads((real / name / "000000.json").read_bytes())["true"])
        assert (thing.wrong, thing.known_error, thing.camera_from_box) == (True, True, None)
        np.testing.assert_allclose(np.array(thing.camera_from_body.position_m) * (1, -1, -1), true[3, :3], atol=1e-3)


def test_a_lens_is_noticed_by_where_the_corners_are_drawn(real, labels):
    def bend(values):
        for thing in values["objects"]:
            pixels = np.array(thing["cuboid_keypoints_projected"]) - 256
            radius = np.linalg.norm(pixels, axis=1, keepdims=True) / 256
            thing["cuboid_keypoints_projected"] = (256 + pixels * (1 - 0.3 * radius**2)).round().astype(int).tolist()

    edit(real, bend)
    found = Dataset.open(real, labels=labels)
    assert "by an unnamed lens" in found.absent["cameras"]
    assert isinstance(found[0].camera, NominalCamera)
    assert not any(record.has_box for record in found[0].truth.objects)


def test_a_visibility_of_0_is_not_known_since_minus_1_becomes_it(real, labels):
    edit(real, lambda values: values["objects"][0].update(visibility=0.0))
    assert np.isnan(Dataset.open(real, labels=labels)[0].truth.objects[0].visible_fraction)


def test_one_folder_for_all_render_products(real, labels):
    for k, name in enumerate(("rp1", "rp2")):
        for suffix in ("json", "png"):
            (real / name / f"000000.{suffix}").rename(real / f"00000{k}.{suffix}")
        shutil.rmtree(real / name)
    found = Dataset.open(real, labels=labels)
    assert found.names == ("poses/000000/view", "poses/000001/view")
    assert inspect_dataset(real, real / "sheet.png", labels=labels).objects["book"] == 2


def test_the_other_scene_unit_is_made_metres(real):
    before = reader(real).pose_file(1).objects[2]
    edit(real, lambda values: values["camera_data"].update(meters_per_scene_unit=0.01))
    after = reader(real).pose_file(1)
    np.testing.assert_allclose(np.array(after.objects[2].camera_from_box.size_m) * 100, before.camera_from_box.size_m)
    assert after.objects[2].error_m == pytest.approx(before.error_m / 100)
    assert np.linalg.norm(after.camera.world_from_camera.position_m) == pytest.approx(0.0979796)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: edit(f, lambda v: v.pop("keypoint_order")), "it lacks 'keypoint_order'"),
        (lambda f: edit(f, lambda v: v.update(keypoint_order=["Center"])), "expected the keypoints Center, LDB"),
        (lambda f: edit(f, lambda v: v["objects"][1].pop("visibility")), "it lacks 'visibility'"),
        (lambda f: edit(f, lambda v: v["objects"][0].update(local_to_world_transform=[1])), "local_to_world_transform as 4 x 4"),
        (lambda f: edit(f, lambda v: v["camera_data"].update(resolution=[64, 48])), "it is of 64x48, the image has 512x512"),
        (lambda f: [p.write_bytes(p.read_bytes()[:900]) for p in f.rglob("0*.json")], r"no whole frame of PoseWriter: .*JSON"),
        (lambda f: [p.unlink() for p in f.rglob("000000.png")], "has no image 000000"),
    ],
)
def test_a_broken_file_gives_one_sentence(real, damage, message):
    damage(real)
    with pytest.raises(DatasetError, match=message):
        Dataset.open(real).verify()


def test_a_half_written_last_frame_is_named_and_left_out(real):
    for suffix in ("json", "png"):
        shutil.copy(real / "rp1" / f"000000.{suffix}", real / "rp1" / f"000001.{suffix}")
    path = real / "rp1" / "000001.json"
    path.write_bytes(path.read_bytes()[:5000])
    found = Dataset.open(real)
    assert len(found) == 2
    assert "frame 000001 of rp1 is half-written: 000001.json: expected JSON" in found.remarks["left out"]
