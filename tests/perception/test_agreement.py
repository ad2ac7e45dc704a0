"""An agreement is what a loop over pixels says, and its limits tell a right engine from a wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.agreement import LIMITS, agreement, limits_of
from perception.engine import RawOutput
from perception.probe_frames import SIZE, probe_frames


def _output(rng: np.random.Generator) -> RawOutput:
    return RawOutput(
        category=rng.integers(0, 5, (1, 20, 20)).astype(np.int32), confidence=rng.random((1, 20, 20), np.float32),
        center=rng.random((1, 1, 10, 10), np.float32), offset=rng.normal(0, 9, (1, 2, 10, 10)).astype(np.float32),
        depth=rng.uniform(1, 2, (1, 1, 10, 10)).astype(np.float32),
    )  # fmt: skip


def test_an_engine_agrees_with_itself(rng: np.random.Generator) -> None:
    one = _output(rng)
    found = agreement([(one, one)])
    assert found.within("f32")
    assert {value for key, value in found.to_dict().items() if key != "images"} == {0.0}


def test_the_figures_are_the_means_and_the_worst_of_the_images(rng: np.random.Generator) -> None:
    one = _output(rng)
    category = one.category.copy()
    category[0, 0, :8] += 1
    other = replace(one, category=category, depth=one.depth * np.float32(1.25), offset=one.offset + 3)
    found = agreement([(one, one), (one, other)])
    assert (found.images, found.category_changed, found.category_changed_worst) == (2, 8 / 400 / 2, 8 / 400)
    assert found.depth_p95 == pytest.approx(0.125)
    assert found.depth_p95_worst == pytest.approx(0.25)
    assert found.offset_p95_px == pytest.approx(1.5)
    assert not any(found.within(precision) for precision in LIMITS)
    assert "2 images" in found.describe()


def test_what_is_not_a_number_never_agrees(rng: np.random.Generator) -> None:
    one = _output(rng)
    assert not agreement([(one, replace(one, depth=one.depth * np.float32("nan")))]).within("int8")
    with pytest.raises(ValueError, match="at least one"):
        agreement([])


def test_a_coarser_precision_is_never_held_tighter() -> None:
    order = [LIMITS[name] for name in ("f32", "f16", "bf16", "int8")]
    assert order == sorted(order)
    assert limits_of("f32") == "f32: at most 0.1 % of the pixels, depth p95 at most 0.1 %"


def test_drawn_images_are_repeatable_and_not_alike() -> None:
    frames, more = probe_frames(2), probe_frames(3)
    assert all(np.array_equal(a, b) for a, b in zip(frames, more, strict=False))
    assert frames[0].shape == (*SIZE, 3)
    assert frames[0].dtype == np.uint8
    assert np.abs(frames[0].astype(int) - frames[1]).mean() > 5
    assert frames[0].std() > 20
