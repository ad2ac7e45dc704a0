"""Whatever runs the scenes, and whatever fails on the way, the bytes are the same or the run says why it stopped."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from scenes.errors import BackendError, DatasetError, SceneError, UnknownNameError
from sim.dataset import Dataset
from sim.generate import generate
from sim.running.executor import Failure, attempt
from sim.running.publish import SceneRecord
from sim.running.run_plan import RunPlan
from sim.running.scene_loop import make_scenes
from tests.sim.fake_frames import FakeSource
from tests.sim.test_generate import contents, make_spec

BAD = 2  # the scene that fails


class FailsAlways(FakeSource):
    def scene(self, index):
        if index == BAD:
            raise RuntimeError("the renderer hiccuped")
        return super().scene(index)


class FailsOnce(FakeSource):
    """Scene 2 fails the first time that any process tries it."""

    def scene(self, index):
        marker = self.spec.out.with_suffix(".failed")
        if index == BAD and not marker.exists():
            marker.touch()
            self.fail()
        return super().scene(index)

    def fail(self):
        raise RuntimeError("the renderer hiccuped")


class DiesOnce(FailsOnce):
    def fail(self):
        os.kill(os.getpid(), signal.SIGKILL)


class NotesItsProcess(FakeSource):
    def scene(self, index):
        with self.spec.out.with_suffix(".pids").open("a") as file:
            file.write(f"{os.getpid()}\n")
        return super().scene(index)


@pytest.fixture(scope="session")
def reference(tmp_path_factory) -> dict[str, bytes]:
    """Twelve frames of four scenes by one process, undisturbed."""
    folder = tmp_path_factory.mktemp("executors") / "reference"
    generate(make_spec(folder, frames=12, workers=1), progress=False, open_source=FakeSource)
    return contents(folder)


@pytest.fixture
def spec(tmp_path):
    return make_spec(tmp_path / "d", frames=12, workers=1)


@pytest.mark.parametrize("source", [FailsOnce, DiesOnce], ids=["exception", "killed"])
def test_a_failure_that_passes_changes_nothing(spec, source, reference):
    summary = generate(spec, progress=False, open_source=source)
    assert (summary.retried, summary.skipped_frames, summary.frames_made) == (1, 0, 12)
    assert contents(spec.out) == reference


def test_a_failure_that_stays_stops_the_run_which_can_be_gone_on_with(spec, reference):
    with pytest.raises(BackendError, match=r"Scene 2 failed 2 times .*hiccuped.*failures\.jsonl.*--keep-going"):
        generate(spec, plan=RunPlan(retries=1), progress=False, open_source=FailsAlways)
    lines = [json.loads(line) for line in (spec.out / ".generate" / "failures.jsonl").read_text().splitlines()]
    assert [(line["scene"], line["attempt"], line["error"]) for line in lines] == [
        (2, 1, "RuntimeError: the renderer hiccuped"),
        (2, 2, "RuntimeError: the renderer hiccuped"),
    ]
    assert "in scene" in lines[0]["trace"]
    summary = generate(spec, progress=False, open_source=FakeSource)
    assert summary.frames_made == 3
    assert contents(spec.out) == reference


def test_keep_going_leaves_the_scene_out_and_says_so(spec, reference):
    plan = RunPlan(retries=0, keep_going=True)
    summary = generate(spec, plan=plan, progress=False, open_source=FailsAlways)
    assert (summary.frames, summary.skipped_frames) == (9, 3)
    published = contents(spec.out)
    (line,) = published.pop("failures.jsonl").decode().splitlines()
    assert json.loads(line)["scene"] == BAD
    whole = Dataset.open(spec.out)
    whole.verify()
    assert whole.manifest.skipped_frames == (6, 7, 8)
    assert [name.split("/")[3] for name in whole.names] == ["000000"] * 3 + ["000001"] * 3 + ["000003"] * 3
    assert [frame.name for frame in whole] == list(whole.names)
    assert whole.camera(6) == whole[6].camera
    assert (whole.rgb(-1) == whole[8].rgb).all()
    left_out = {name for name in reference if any(f"_{n:04d}." in name for n in (6, 7, 8))}
    left_out |= {"scenes/scene_000002.usdc", "manifest.json"}
    assert {name: data for name, data in published.items() if name != "manifest.json"} == {
        name: data for name, data in reference.items() if name not in left_out
    }
    assert generate(spec, progress=False, open_source=FakeSource).frames_made == 0  # it is finished


def test_processes_are_replaced_and_the_bytes_stay(spec, reference):
    generate(spec, plan=RunPlan(recycle_scenes=2), progress=False, open_source=NotesItsProcess)
    pids = spec.out.with_suffix(".pids").read_text().split()
    assert len(pids) == 4
    assert all(pids.count(pid) == 2 for pid in pids)
    assert contents(spec.out) == reference


@pytest.mark.slow
def test_ray_makes_the_same_bytes(spec, reference, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed (the ray extra)")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    plan = RunPlan(executor="ray", recycle_scenes=2)
    summary = generate(spec, plan=plan, progress=False, open_source=FailsOnce)
    assert (summary.retried, summary.frames_made) == (1, 12)
    assert contents(spec.out) == reference
    assert not ray.is_initialized()
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)


@pytest.mark.slow
def test_ray_names_a_worker_that_died_and_goes_on(spec, reference, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed (the ray extra)")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    assert generate(spec, plan=RunPlan(executor="ray"), progress=False, open_source=DiesOnce).retried == 1
    assert contents(spec.out) == reference


def test_without_ray_the_error_says_how_to_get_it(spec, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(BackendError, match=r"needs Ray.*pip install -e '\.\[ray\]'"):
        generate(spec, plan=RunPlan(executor="ray"), progress=False, open_source=FakeSource)


class Here:
    """An Executor in this process that answers the last scene first."""

    def __init__(self, job, capacity):
        self.capacity = capacity
        self._job = job
        self._todo = []

    def submit(self, index):
        self._todo.append(index)

    def gather(self):
        assert len(self._todo) <= self.capacity
        return attempt(self._job, self._todo.pop())

    def close(self):
        self._todo = []


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (SceneError("wrong for ever"), 1),
        (UnknownNameError("backend", "mujco", ["mujoco"]), 1),
        (OSError(28, "No space left on device"), 1),
        (BackendError("no context"), 3),
        (MemoryError(), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_may_pass_is_tried_again(tmp_path, error, attempts):
    tried = []

    def job(index):
        tried.append(index)
        raise error

    (tmp_path / ".generate").mkdir()
    with pytest.raises((type(error), BackendError)):
        make_scenes(Here(job, 2), [0], plan=RunPlan(retries=2), folder=tmp_path, made=tried.append)
    assert tried == [0] * attempts


def test_a_full_disk_stops_even_a_run_that_keeps_going(tmp_path):
    def job(index):
        raise OSError(28, "No space left on device")

    (tmp_path / ".generate").mkdir()
    with pytest.raises(OSError, match="No space left"):
        make_scenes(Here(job, 1), range(3), plan=RunPlan(keep_going=True), folder=tmp_path, made=print)
    assert not (tmp_path / ".generate" / "failures.jsonl").exists()


def test_scenes_that_went_to_another_disk_are_noticed(tmp_path):
    def job(index):
        return SceneRecord(index=index, frames=(), stage=None, rejected={})

    with pytest.raises(DatasetError, match=r"Scene 0 was made, but .* does not hold it"):
        make_scenes(Here(job, 1), range(3), plan=RunPlan(), folder=tmp_path, made=print)


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)


def test_an_error_that_cannot_travel_travels_as_text():
    def job(index):
        raise OddError("a", "b")

    outcome = attempt(job, 7)
    assert isinstance(outcome, Failure)
    assert (outcome.index, str(outcome.error)) == (7, "OddError: ab")
    assert "raise OddError" in outcome.trace


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"executor": "slurm"}, UnknownNameError, "Did you mean 'slurm-array'"),
        ({"retries": -1}, DatasetError, "0 or more retries"),
        ({"ray_address": "auto"}, DatasetError, "belongs to the executor ray"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        RunPlan(**changes)
