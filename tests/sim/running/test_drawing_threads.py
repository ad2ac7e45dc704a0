"""A worker draws in two threads where it has two cores; the files are those of one thread, whatever is recorded."""

from __future__ import annotations

import threading

import pytest

from scenes.errors import DatasetError
from sim._frame_source import BackendSource, beside_source
from sim.capture import Capture
from sim.generate import GenerateSpec, _draws_beside, generate
from sim.replay import replay_dataset
from sim.running.run_plan import RunPlan
from sim.sensors.library import load_profile
from tests.sim.test_generate import contents

THREAD = "rehearse-draws-beside"


@pytest.mark.parametrize(
    ("executor", "asked", "workers", "cores", "expected"),
    [
        ("process", None, 1, 1, False),
        ("process", None, 1, 2, True),
        ("process", None, 2, 2, False),
        ("process", None, 2, 3, False),
        ("process", None, 4, 8, True),
        ("process", 1, 1, 2, False),
        ("process", 2, 2, 2, True),
        ("ray", None, 1, 64, False),
    ],
)
def test_two_threads_where_every_worker_has_two_cores(executor, asked, workers, cores, expected):
    assert _draws_beside(RunPlan(executor=executor, drawing_threads=asked), workers, cores) is expected


@pytest.mark.parametrize("threads", [0, 3])
def test_other_numbers_of_threads_are_refused(threads):
    with pytest.raises(DatasetError, match=f"1 or 2 threads, not in {threads}"):
        RunPlan(drawing_threads=threads)


@pytest.mark.parametrize(
    ("capture", "sensor"),
    [
        (Capture(annotators=("all",), sequence=2, motion="both", stereo_m=0.06), "ideal"),
        (Capture(annotators=("all",), sequence=2, motion="objects"), "webcam"),
    ],
    ids=["stereo sequence", "sensor"],
)
def test_the_files_do_not_depend_on_the_threads(tmp_path, capture, sensor):
    published = []
    for threads in (1, 2):
        spec = GenerateSpec(
            suite="tabletop", out=tmp_path / str(threads), frames=capture.frames_per_view, seed=4, size=(64, 48),
            workers=1, capture=capture, sensor=load_profile(sensor),
        )  # fmt: skip
        generate(spec, plan=RunPlan(drawing_threads=threads), progress=False)
        published.append(contents(spec.out))
    assert published[0] == published[1]


def test_the_source_of_a_worker_draws_beside_and_ends_its_thread(tmp_path):
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=3, size=(64, 48))
    before = threading.active_count()
    in_turn = BackendSource(spec)
    assert threading.active_count() == before
    in_turn.close()
    source = beside_source(spec)
    names = [thread.name for thread in threading.enumerate()]
    source.close()
    if THREAD not in names:
        pytest.skip("no second display with the same software rendering on this machine")
    assert threading.active_count() == before


def test_a_backend_that_cannot_draw_beside_is_not_asked(tmp_path):
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=3, size=(64, 48), backend="raycast")
    before = threading.active_count()
    source = beside_source(spec)
    assert threading.active_count() == before
    source.close()


def test_a_frame_drawn_by_two_threads_is_replayed_by_one(tmp_path):
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=3, seed=9, size=(64, 48), workers=1)
    generate(spec, plan=RunPlan(drawing_threads=2), progress=False)
    assert replay_dataset(spec.out, "1").verdict == "match"
