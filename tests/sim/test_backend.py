"""The words in which a backend reports, and the room's public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sim
from sim.backend import BACKEND_NAMES, SettleReport


@pytest.mark.parametrize(
    ("at_rest", "lost", "wedged", "fault", "said"),
    [
        pytest.param(True, (), (), "", "", id="fine"),
        pytest.param(True, (), ("a", "b"), "wedged", "wedged a, b", id="wedged"),
        pytest.param(False, (), ("a",), "not at rest", "not at rest after 4.00 s (0.300 m/s, 2.00 rad/s)", id="moving"),
        pytest.param(True, ("a", "b"), ("a",), "lost a body", "lost a, b", id="lost"),
    ],
)
def test_a_report_says_why(
    at_rest: bool, lost: tuple[str, ...], wedged: tuple[str, ...], fault: str, said: str
) -> None:
    report = SettleReport(
        at_rest=at_rest, time_s=4.0, max_speed_m_s=0.3, max_angular_speed_rad_s=2.0, lost=lost, wedged=wedged
    )
    assert (report.accepted, report.fault, report.reason()) == (not fault, fault, said)


def test_public_names_are_sorted_and_there() -> None:
    assert sim.__all__ == sorted(sim.__all__)
    assert set(sim.__all__) == set(sim._HOME)
    assert set(sim.__all__) <= set(dir(sim))
    for name in sim.__all__:
        assert getattr(sim, name) is not None
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = sim.nothing_such
    assert BACKEND_NAMES == ("isaac", "mujoco", "raycast")


def test_importing_the_room_imports_nothing_heavy() -> None:
    code = "import sys, sim, sim.backend, sim.realize; print([m for m in ('mujoco', 'cv2', 'pxr', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
