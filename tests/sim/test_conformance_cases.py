"""The list of the conformance suite's cases in the docs is the suite's, and mujoco and the isaac backend run all of them."""

from __future__ import annotations

from pathlib import Path

from tests.sim.backend_conformance import BackendConformance
from tests.sim.isaac import test_isaac_backend as isaac
from tests.sim.mujoco import test_mujoco_backend as mujoco
from tests.sim.proof import test_raycast_backend as raycast

DOC = Path(__file__).resolve().parents[2] / "docs" / "selftest.md"
CASES = [name for name in vars(BackendConformance) if name.startswith("test_")]
RUNS = (mujoco.TestMujocoBackend, isaac.TestIsaacBackendOnTheFake, raycast.TestRaycastBackend)


def rows() -> list[str]:
    """Returns the rows of the table in the docs."""
    return [
        f"| {name.removeprefix('test_').replace('_', ' ')} | {' | '.join('yes' if getattr(c, name) else '-' for c in RUNS)} |"
        for name in CASES
    ]


def test_the_docs_list_every_case() -> None:
    text = DOC.read_text(encoding="utf-8")
    table = text[text.index("| case | mujoco |") :].splitlines()[2:]
    assert [line for line in table if line] == rows()


def test_mujoco_and_the_isaac_backend_run_the_same_cases_unchanged() -> None:
    assert len(CASES) >= 20
    for name in CASES:
        for run in RUNS[:2]:
            assert getattr(run, name) is getattr(BackendConformance, name), (run, name)
