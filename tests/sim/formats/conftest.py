"""One small real data set, and a function that converts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate


@pytest.fixture(scope="session")
def real(tmp_path_factory) -> Path:
    """Five frames of two scenes by the simulator; the second scene lacks one view."""
    folder = tmp_path_factory.mktemp("formats") / "real"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=5, split="test", size=(160, 120), workers=1)
    generate(spec, progress=False)
    return folder


@pytest.fixture(scope="session")
def dataset(real) -> Dataset:
    return Dataset.open(real)


@pytest.fixture(scope="session")
def converted(real, tmp_path_factory) -> Callable[..., Path]:
    """Returns a function that converts the real data set once per set of options and gives the folder."""
    made: dict[tuple[object, ...], Path] = {}

    def convert_to(to: str, **options: object) -> Path:
        key = (to, *sorted(options.items()))
        if key not in made:
            made[key] = tmp_path_factory.mktemp(to) / "out"
            convert(ConvertSpec(dataset=real, out=made[key], to=to, **options), progress=False)  # type: ignore[arg-type]
        return made[key]

    return convert_to
