"""The isaac backend against the FAKE Replicator: the conformance suite, and what is Isaac Sim's alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.backend import Backend
from sim.isaac.backend import IsaacBackend
from sim.isaac.settings import IsaacSettings
from tests.sim.backend_conformance import BackendConformance
from tests.sim.isaac.fake_replicator import FakeKit, installed


@pytest.fixture(scope="module")
def kit() -> Iterator[FakeKit]:
    with installed("6.2.0") as fake:
        yield fake


@pytest.fixture(scope="module")
def backend(kit: FakeKit) -> Iterator[Backend]:
    started = IsaacBackend(IsaacSettings())
    yield started
    started.close()


@pytest.fixture
def fresh_backend(kit: FakeKit) -> Iterator[Backend]:
    started = IsaacBackend()
    yield started
    started.close()


class TestIsaacBackendOnTheFake(BackendConformance):
    """Every backend's promises, kept by this one on the fake."""
