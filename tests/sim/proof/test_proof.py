"""What the renderer draws is believed, and every fault that is planted in it is refused, by the gate and in `generate`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenes.camera import Camera
from scenes.errors import ProofError
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose
from sim._frame_source import BackendSource
from sim.backend import open_backend
from sim.dataset import Dataset
from sim.frame import Frame, Truth
from sim.generate import GenerateSpec, generate
from sim.proof.check import prove
from sim.proof.figures import Agreement, ObjectAgreement, Proof, summed
from sim.proof.raycast import RayCaster
from sim.realize import realize

SIZE = (320, 240)


class Rendered:
    """Settled scenes with their frames, and how one of them is rendered anew."""

    def __init__(self) -> None:
        self.backend = open_backend("mujoco")
        self.scene, _ = realize(self.backend, "tabletop", split="test", seed=4, index=1)
        self.frames = [self.backend.render(camera.resized(*SIZE)) for camera in self.scene.cameras]
        self.caster = RayCaster(self.scene)

    def again(self, camera: Camera, scene: Scene | None = None) -> Frame:
        self.backend.load(scene or self.scene)
        return self.backend.render(camera)


@pytest.fixture(scope="module")
def rendered():
    made = Rendered()
    yield made
    made.backend.close()


def with_truth(frame: Frame, **changes) -> Frame:
    truth = frame.truth
    maps = {"depth_m": truth.depth_m, "semantic": truth.semantic, "instance": truth.instance, "objects": truth.objects}
    return replace(frame, truth=Truth(**(maps | changes)))


@pytest.mark.parametrize("view", range(3))
def test_a_true_frame_holds(rendered, view):
    proof = prove(rendered.frames[view], rendered.caster)
    assert proof.holds, proof.complaints()
    assert proof.differences == ()
    assert proof.agreement.share == 1
    assert proof.agreement.checked > 200
    assert proof.agreement.depth_median_error_m < 1e-6
    shown = {r.body_name for r in rendered.frames[view].truth.objects if r.visible_fraction > 0.3}
    assert len(shown - {row.name for row in proof.objects}) <= 1  # thin ones have no pixel away from edges
    assert len(shown) >= 3


def test_the_same_frame_gives_the_same_proof(rendered):
    assert prove(rendered.frames[0], rendered.caster) == prove(rendered.frames[0], RayCaster(rendered.scene))


def _moved(camera: Camera, by_m: tuple[float, float, float]) -> Camera:
    position = np.asarray(camera.world_from_camera.position_m) + by_m
    return replace(camera, world_from_camera=replace(camera.world_from_camera, position_m=tuple(map(float, position))))


def shifted_camera(made: Rendered, frame: Frame) -> Frame:
    return replace(frame, camera=_moved(frame.camera, (0.002, 0.0, 0.0)))


def half_a_pixel(made: Rendered, frame: Frame) -> Frame:
    return replace(frame, camera=replace(frame.camera, cy=frame.camera.cy + 0.5))


def wider_view(made: Rendered, frame: Frame) -> Frame:
    return replace(frame, camera=replace(frame.camera, fx=frame.camera.fx * 1.01, fy=frame.camera.fy * 1.01))


def swapped_ids(made: Rendered, frame: Frame) -> Frame:
    a, b = _largest(frame)[:2]
    swapped = frame.truth.instance.copy()
    swapped[frame.truth.instance == a], swapped[frame.truth.instance == b] = b, a
    semantic = np.zeros(int(swapped.max()) + 1, dtype=np.uint8)
    for r in frame.truth.objects:
        if r.instance_id < len(semantic):
            semantic[r.instance_id] = r.category_id
    labelled = np.where(swapped > 0, semantic[swapped], frame.truth.semantic).astype(np.uint8)
    return with_truth(frame, instance=swapped, semantic=labelled)


def swapped_records(made: Rendered, frame: Frame) -> Frame:
    """Leaves the maps alone and exchanges the names of two bodies."""
    a, b = _largest(frame)[:2]
    name = {r.instance_id: r.body_name for r in frame.truth.objects}
    other = {a: name[b], b: name[a]}
    objects = tuple(replace(r, body_name=other.get(r.instance_id, r.body_name)) for r in frame.truth.objects)
    return with_truth(frame, objects=objects)


def scaled_depth(made: Rendered, frame: Frame) -> Frame:
    return with_truth(frame, depth_m=frame.truth.depth_m * np.float32(1.001))


def depth_to_the_camera(made: Rendered, frame: Frame) -> Frame:
    points = frame.camera.unproject(frame.truth.depth_m)
    return with_truth(frame, depth_m=np.linalg.norm(points, axis=-1).astype(np.float32))


def missing_object(made: Rendered, frame: Frame) -> Frame:
    """Renders the scene without its smallest object that shows well."""
    names = {r.instance_id: r.body_name for r in frame.truth.objects}
    gone = names[_largest(frame)[-1]]
    kept = made.again(frame.camera, replace(made.scene, bodies=tuple(b for b in made.scene.bodies if b.name != gone)))
    # the ids of what is left stay those of the whole scene
    number = {body.name: k for k, body in enumerate(made.scene.things, start=1)}
    table = np.zeros(len(number) + 1, dtype=np.uint16)
    for r in kept.truth.objects:
        table[r.instance_id] = number[r.body_name]
    objects = tuple(replace(r, instance_id=number[r.body_name]) for r in kept.truth.objects)
    return replace(with_truth(kept, instance=table[kept.truth.instance], objects=objects), name=frame.name)


def flipped_y(made: Rendered, frame: Frame) -> Frame:
    truth = frame.truth
    return with_truth(
        frame, depth_m=truth.depth_m[::-1].copy(), semantic=truth.semantic[::-1].copy(),
        instance=truth.instance[::-1].copy(),
    )  # fmt: skip


def mirrored_x(made: Rendered, frame: Frame) -> Frame:
    truth = frame.truth
    return with_truth(
        frame, depth_m=truth.depth_m[:, ::-1].copy(), semantic=truth.semantic[:, ::-1].copy(),
        instance=truth.instance[:, ::-1].copy(),
    )  # fmt: skip


def wrong_category(made: Rendered, frame: Frame) -> Frame:
    a = _largest(frame)[1]
    known = next(r.category_id for r in frame.truth.objects if r.instance_id == a)
    category = next(c.id for c in TAXONOMY.things if c.id != known)
    objects = tuple(replace(r, category_id=category if r.instance_id == a else r.category_id) for r in frame.truth.objects)
    semantic = np.where(frame.truth.instance == a, category, frame.truth.semantic).astype(np.uint8)
    return with_truth(frame, semantic=semantic, objects=objects)


def floor_for_table(made: Rendered, frame: Frame) -> Frame:
    table, floor = TAXONOMY.named("table").id, TAXONOMY.named("floor").id
    return with_truth(frame, semantic=np.where(frame.truth.semantic == table, floor, frame.truth.semantic).astype(np.uint8))


def moved_body(made: Rendered, frame: Frame) -> Frame:
    """Renders the scene with its largest object 5 mm higher than it claims."""
    name = next(r.body_name for r in frame.truth.objects if r.instance_id == _largest(frame)[0])
    body = next(b for b in made.scene.bodies if b.name == name)
    x, y, z = body.world_from_body.position_m
    poses = {name: Pose((x, y, z + 0.005), body.world_from_body.quaternion_wxyz)}
    return replace(made.again(frame.camera, made.scene.with_poses(poses)), name=frame.name)


def _largest(frame: Frame) -> list[int]:
    """Returns the instances that show at least 150 pixels, the largest first."""
    ids, counts = np.unique(frame.truth.instance[frame.truth.instance > 0], return_counts=True)
    assert len(ids) >= 2
    return [int(k) for k in ids[np.argsort(-counts)] if counts[list(ids).index(k)] >= 150]


FAULTS = (
    shifted_camera, half_a_pixel, wider_view, swapped_ids, swapped_records, scaled_depth, depth_to_the_camera,
    missing_object, flipped_y, mirrored_x, wrong_category, floor_for_table, moved_body,
)  # fmt: skip


@pytest.mark.parametrize("view", [0, 2])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_a_planted_fault_is_refused(rendered, fault, view):
    proof = prove(fault(rendered, rendered.frames[view]), rendered.caster)
    assert not proof.holds


def test_a_missing_object_is_named(rendered):
    frame = rendered.frames[0]
    gone = next(r.body_name for r in frame.truth.objects if r.instance_id == _largest(frame)[-1])
    proof = prove(missing_object(rendered, frame), rendered.caster)
    assert any(gone in said for said in proof.complaints())
    assert {d.cast for d in proof.differences if d.labelled != gone} >= {gone}


def test_a_frame_with_nothing_to_check_does_not_hold():
    nothing = Agreement(checked=0, agreeing=0, depth_median_error_m=None, depth_max_error_m=None)
    proof = Proof(frame="f", agreement=nothing, objects=(), differences=())
    assert proof.complaints() == ["no pixel away from edges to check"]
    assert nothing.share == 0


@pytest.mark.parametrize(
    ("checked", "agreeing", "median", "row", "holds"),
    [
        (1000, 999, 0.0, (50, 49), True),
        (1000, 998, 0.0, (50, 48), False),
        (1000, 1000, 1.1e-4, (50, 50), False),
        (100_000, 99_997, 0.0, (5, 2), False),
        (100_000, 99_998, 0.0, (2, 0), True),
    ],
    ids=["one in a thousand", "two in a thousand", "depth", "most of an object", "too little of an object to tell"],
)
def test_the_limits(checked, agreeing, median, row, holds):
    agreement = Agreement(checked=checked, agreeing=agreeing, depth_median_error_m=median, depth_max_error_m=median)
    objects = (ObjectAgreement(name="cup_01", checked=row[0], agreeing=row[1]),)
    assert Proof(frame="f", agreement=agreement, objects=objects, differences=()).holds == holds


def spec_of(out: Path, **changes) -> GenerateSpec:
    values = {"suite": "tabletop", "out": out, "frames": 3, "split": "test", "seed": 4, "size": (160, 120), "workers": 1}
    return GenerateSpec(**(values | {"stages": False} | changes))


class FlippedSource(BackendSource):
    """A renderer that takes the image's first row for its last one, in the second view."""

    def frame(self, view: int) -> Frame:
        frame = super().frame(view)
        return flipped_y(None, frame) if view == 1 else frame  # type: ignore[arg-type]


def test_generate_records_the_agreement_of_every_frame(tmp_path):
    summary = generate(spec_of(tmp_path / "a"), progress=False)
    agreements = [entry.agreement for entry in Dataset.open(tmp_path / "a").manifest.frames]
    assert all(a is not None and a.share == 1 and a.checked > 100 for a in agreements)
    assert summary.proof == summed(agreements)
    assert summary.proof.frames == 3
    assert "3 frames" in str(summary.proof)
    assert json.loads(json.dumps(summary.to_dict()))["proof"]["unproven"] == 0


def test_generate_refuses_a_frame_and_leaves_a_report_and_nothing_of_its_scene(tmp_path):
    out = tmp_path / "a"
    with pytest.raises(ProofError, match=r"camera_1 is refused: .* checked pixels disagree.*--no-proof"):
        generate(spec_of(out), progress=False, open_source=FlippedSource)
    assert not list(out.glob("rgb_*"))
    assert not (out / "manifest.json").exists()
    report = json.loads((out / ".generate/refused/frame_0001.json").read_text())
    assert report["frame"].endswith("camera_1")
    assert report["differences"][0].keys() >= {"u", "v", "labelled", "cast"}
    assert (out / ".generate/refused/frame_0001.png").stat().st_size > 1000

    summary = generate(spec_of(out, proof=False), progress=False, open_source=FlippedSource)
    assert (summary.proof.frames, summary.proof.unproven, str(summary.proof)) == (0, 3, "not proven")
    assert Dataset.open(out).manifest.frames[0].agreement is None
