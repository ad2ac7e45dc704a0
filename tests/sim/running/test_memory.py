"""What a process holds is read from the system; a run says what its processes held, and holds no more the longer it is."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from sim.generate import GenerateSpec, generate
from sim.running import memory
from sim.running.memory import MemoryUse, Resident, children, larger, resident
from sim.running.run_plan import RunPlan
from tests.sim.fake_frames import FakeSource

pytestmark = pytest.mark.skipif(resident() is None, reason="no /proc/self/status on this system")


def test_a_large_array_is_seen_and_its_peak_stays():
    code = (
        "import numpy as np; from sim.running.memory import resident\n"
        "a = resident(); held = np.ones(25_000_000); b = resident(); del held; c = resident()\n"
        "print(b.now_mb - a.now_mb, c.peak_mb - a.now_mb, c.now_mb - a.now_mb)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    grown, peak, after = (float(word) for word in done.stdout.split())
    assert grown == pytest.approx(200, abs=5)
    assert peak >= 195
    assert after < 20


def test_by_pid_and_of_a_process_that_is_gone():
    mine = resident(os.getpid())
    assert mine is not None
    assert mine.peak_mb >= mine.now_mb > 10
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert resident(process.pid) is None


def test_the_larger_of_two_and_the_sentence():
    few, many = Resident(now_mb=1, peak_mb=9), Resident(now_mb=2, peak_mb=3)
    assert larger(None, few) == larger(few, None) == few
    assert larger(few, many) == Resident(now_mb=2, peak_mb=9)
    assert str(MemoryUse(parent=few, worker=None)) == "parent 1 MB (peak 9), largest worker not measured"


def test_a_system_that_does_not_say_is_not_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_PROC", tmp_path / "absent")
    assert resident() is None
    assert children() == []
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=3, size=(64, 48), workers=1)
    summary = generate(spec, plan=RunPlan(recycle_mib=1), progress=False, open_source=FakeSource)
    assert summary.frames_made == 3
    assert summary.memory == MemoryUse(parent=None, worker=None)


def test_a_run_says_what_it_and_its_workers_held(tmp_path):
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=6, size=(64, 48), workers=1)
    summary = generate(spec, progress=False, open_source=FakeSource)
    assert summary.memory.worker is not None
    assert summary.memory.worker.peak_mb > 10
    assert summary.to_dict()["memory"]["parent"]["now_mb"] > 10
    assert generate(spec, progress=False, open_source=FakeSource).memory.worker is None  # nothing was left to make


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_that_is_never_replaced_stays_within_its_memory(tmp_path):
    rows = []

    def note(done, _total):
        rows.append((done, max((held.now_mb for pid in children() if (held := resident(pid))), default=0.0)))

    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=900, size=(64, 48), workers=1, stages=False)
    generate(spec, plan=RunPlan(recycle_scenes=10**9), progress=note)
    late = np.array([row for row in rows if row[0] > 450])
    # Scenes differ in size by tens of MB; a leak of one image a frame would be 9 MB over these, of one model far more.
    assert late[:, 1].max() < 1.25 * np.median(late[:, 1])
    assert 450 * np.polyfit(late[:, 0], late[:, 1], 1)[0] < 30
