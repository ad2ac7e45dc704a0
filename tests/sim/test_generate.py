"""A data set depends on its spec alone: not on the workers, not on how often its making was interrupted."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scenes.errors import BackendError, DatasetError, SceneError, UnknownNameError
from scenes.scene import Scene
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.sim.fake_frames import FakeSource

FRAMES = 40


def make_spec(out: Path, frames: int = FRAMES, workers: int = 2, seed: int = 3) -> GenerateSpec:
    return GenerateSpec(
        suite="tabletop", out=out, frames=frames, split="test", seed=seed, size=(64, 48), workers=workers
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Returns all that is published in a folder, by relative path."""
    files = [p for p in folder.rglob("*") if p.is_file() and ".generate" not in p.parts]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def frame_files(published: dict[str, bytes]) -> dict[str, bytes]:
    """Returns the files that belong to frames, without the stages and without what is there once."""
    once = ("scenes/", "metadata.txt", "manifest.json")
    return {name: data for name, data in published.items() if not name.startswith(once)}


class BrokenSource(FakeSource):
    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        if index == 1:
            raise UnknownNameError("backend", "mujco", ["mujoco"])
        return super().scene(index)


class DyingSource(FakeSource):
    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().scene(index)


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("generate") / "reference"
    generate(make_spec(folder, workers=1), progress=False, open_source=FakeSource)
    return contents(folder)


def test_two_workers_make_the_same_bytes_as_one(tmp_path: Path, uninterrupted: dict[str, bytes]) -> None:
    seen: list[tuple[int, int]] = []
    summary = generate(make_spec(tmp_path / "d"), progress=lambda *at: seen.append(at), open_source=FakeSource)
    assert contents(tmp_path / "d") == uninterrupted
    assert (summary.frames, summary.frames_made, summary.scenes, summary.rejected) == (40, 40, 14, {"lost": 7})
    assert summary.size_bytes == sum(len(data) for data in frame_files(uninterrupted).values())
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)
    assert seen == sorted(seen)
    assert not (tmp_path / "d" / ".generate").exists()


def test_the_last_scene_gives_only_the_views_that_are_asked_for(uninterrupted: dict[str, bytes]) -> None:
    assert sum(name.startswith("rgb_") for name in uninterrupted) == FRAMES
    assert "scenes/scene_000013.usdc" in uninterrupted
    assert "scenes/textures/wood.png" in uninterrupted


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT], ids=["killed", "ctrl-c"])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, root_dir: Path, uninterrupted: dict[str, bytes], kill: signal.Signals
) -> None:
    folder = tmp_path / "d"
    code = (
        "from pathlib import Path; from sim.generate import generate\n"
        "from tests.sim.test_generate import make_spec; from tests.sim.fake_frames import SlowFakeSource\n"
        f"generate(make_spec(Path({str(folder)!r})), open_source=SlowFakeSource)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root_dir,
        env=os.environ | {"PYTHONPATH": str(root_dir)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    records = folder / ".generate" / "records"
    _wait(lambda: records.exists() and len(list(records.glob("0*.json"))) >= 2)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    if kill is signal.SIGINT:
        os.killpg(process.pid, kill)  # a terminal sends Ctrl-C to the workers too
    else:
        process.send_signal(kill)
    errors = process.communicate(timeout=120)[1].decode()
    assert process.returncode != 0
    assert errors.count("Traceback") <= 1  # the workers keep quiet
    _wait(lambda: not any(_runs(worker) for worker in workers))

    published = contents(folder)
    assert workers
    assert 0 < len(published) < len(uninterrupted)
    assert all(uninterrupted[name] == data for name, data in published.items())  # nothing half-written
    with pytest.raises(DatasetError, match="not finished"):
        Dataset.open(folder)

    done = len(list(records.glob("0*.json")))
    summary = generate(make_spec(folder), progress=False, open_source=FakeSource)
    assert summary.frames_made == FRAMES - 3 * done
    assert contents(folder) == uninterrupted
    assert not (folder / ".generate").exists()


def test_a_file_that_vanished_from_an_unfinished_run_is_made_again(
    tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    folder = tmp_path / "d"
    with pytest.raises(UnknownNameError, match="Did you mean 'mujoco'"):
        generate(make_spec(folder, workers=1), progress=False, open_source=BrokenSource)
    (folder / "rgb_0001.png").unlink()
    generate(make_spec(folder), progress=False, open_source=FakeSource)
    assert contents(folder) == uninterrupted


def test_a_worker_that_dies_ends_in_one_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"worker process died.*same command again"):
        generate(make_spec(tmp_path, workers=1), progress=False, open_source=DyingSource)
    assert generate(make_spec(tmp_path), progress=False, open_source=FakeSource).frames == FRAMES


def test_a_finished_data_set_is_left_as_it_is(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, frames=3, workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    before = (tmp_path / "rgb_0000.png").stat().st_mtime_ns
    summary = generate(spec, progress=True, open_source=BrokenSource)
    assert summary.frames_made == 0
    assert summary.frames_per_s is None
    assert summary.to_dict()["frames"] == 3
    assert (tmp_path / "rgb_0000.png").stat().st_mtime_ns == before
    (tmp_path / "rgb_0000.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks rgb_0000\.png"):
        generate(spec, progress=False, open_source=FakeSource)


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "unfinished"])
def test_a_folder_with_another_spec_is_refused_and_untouched(tmp_path: Path, finished: bool) -> None:
    if finished:
        generate(make_spec(tmp_path, frames=3, workers=1), progress=False, open_source=FakeSource)
    else:
        with pytest.raises(UnknownNameError):
            generate(make_spec(tmp_path, frames=6, workers=1), progress=False, open_source=BrokenSource)
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match="with seed 3, but 4 was asked for"):
        generate(make_spec(tmp_path, frames=3 if finished else 6, seed=4), progress=False, open_source=FakeSource)
    assert contents(tmp_path) == before


def test_a_folder_of_someone_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DatasetError, match=r"not empty .*thesis\.txt.*empty folder"):
        generate(make_spec(tmp_path), progress=False, open_source=FakeSource)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(DatasetError, match=r"Cannot write .*thesis\.txt"):
        generate(make_spec(tmp_path / "thesis.txt"), progress=False, open_source=FakeSource)


def test_two_runs_into_one_folder_are_refused(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(DatasetError, match="Another process generates"):
        generate(make_spec(tmp_path), progress=False, open_source=FakeSource)
    os.close(handle)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"suite": "tabeltop"}, UnknownNameError, "Did you mean 'tabletop'"),
        ({"split": "tests"}, UnknownNameError, "Did you mean 'test'"),
        ({"frames": 0}, DatasetError, "0 frames"),
        ({"seed": -1}, DatasetError, "seed -1"),
        ({"size": (0, 480)}, DatasetError, "0x480"),
        ({"workers": 0}, DatasetError, "0 workers"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(
    tmp_path: Path, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    arguments: dict[str, object] = {"suite": "tabletop", "out": tmp_path, "frames": 3} | changes
    with pytest.raises(error, match=message):
        GenerateSpec(**arguments)  # type: ignore[arg-type]  # the table above holds what a caller might give


def test_the_simulator_gives_the_same_labels_whatever_the_workers(tmp_path: Path) -> None:
    for workers in (1, 2):
        out, stages = tmp_path / str(workers), workers == 2
        spec = GenerateSpec(
            suite="tabletop", out=out, frames=4, split="val", seed=1, size=(96, 72), workers=workers, stages=stages
        )
        generate(spec, progress=False)
    assert frame_files(contents(tmp_path / "1")) == frame_files(contents(tmp_path / "2"))
    dataset = Dataset.open(tmp_path / "1")
    assert dataset.names[3].startswith("tabletop-v1/val/seed1/000001/")
    assert dataset[3].truth.objects
    assert (tmp_path / "2" / "scenes" / "scene_000001.usdc").exists()
    assert not (tmp_path / "1" / "scenes").exists()


def test_an_unsettled_scene_is_reported_as_such(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="did not settle"):
        generate(make_spec(tmp_path, workers=1), progress=False, open_source=UnsettledSource)


class UnsettledSource(FakeSource):
    def scene(self, index: int) -> tuple[Scene, dict[str, int]]:
        raise SceneError(f"Scene {index} did not settle.")


def _wait(condition: object, limit_s: float = 120.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
