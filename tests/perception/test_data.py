"""Training batches: a pure function of seed and step, read from data sets once, never from a half-written cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.augment import AugmentSpec, Sample
from perception.data import (
    BatchSpec,
    BatchStream,
    FrameArrays,
    batch_indices,
    dense_instances,
    frame_arrays,
    known_only,
    load_frames,
    make_batch,
    sample_of,
)
from scenes.errors import DatasetError, TrainingError
from scenes.taxonomy import TABLETOP_CATEGORIES, TAXONOMY
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from tests.perception.synthetic_samples import samples
from tests.sim.fake_frames import FakeSource

SIZE = (96, 128)


@pytest.fixture
def arrays(rng: np.random.Generator) -> FrameArrays:
    return frame_arrays(samples(5, SIZE, rng=rng))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=4, size=(64, 48), workers=1, stages=False)
    generate(spec, progress=False, open_source=FakeSource)
    return tmp_path / "d"


def test_every_frame_is_seen_equally_in_every_epoch() -> None:
    spec = BatchSpec(size=4)
    seen = np.concatenate([batch_indices(step, 10, spec) for step in range(5)])
    assert np.bincount(seen[:10]).tolist() == [1] * 10
    assert np.bincount(seen[10:]).tolist() == [1] * 10
    assert seen[:10].tolist() != seen[10:].tolist()


def test_a_batch_depends_on_seed_and_step_only(arrays: FrameArrays) -> None:
    spec = BatchSpec(size=4, seed=3)
    first, again = make_batch(arrays, 7, spec), make_batch(arrays, 7, spec)
    other = make_batch(arrays, 7, BatchSpec(size=4, seed=4))
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.offset, again.offset)
    assert first.rgb.shape == other.rgb.shape
    assert (first.rgb != other.rgb).any()


def test_what_the_network_does_not_know_is_ignored_and_the_rest_mapped_by_name() -> None:
    ids = [TAXONOMY.named(name).id for name in ("void", "cup", "couch", "table", "fork", "lamp")]
    semantic = np.array([ids], dtype=np.uint8)
    instance = np.array([[0, 1, 2, 0, 3, 4]], dtype=np.uint8)
    empty = np.zeros((1, 6), np.float32)
    sample = Sample(rgb=np.zeros((1, 6, 3), np.uint8), semantic=semantic, instance=instance, depth_m=empty, fx=1.0)
    mapped = known_only(sample, ("void", "table", "fork", "cup"))
    assert mapped.semantic.tolist() == [[0, 3, 0, 1, 2, 0]]
    assert mapped.instance.tolist() == [[0, 1, 0, 0, 3, 0]]
    tabletop = known_only(sample, TABLETOP_CATEGORIES)
    np.testing.assert_array_equal(tabletop.semantic, np.where(semantic < len(TABLETOP_CATEGORIES), semantic, 0))


def test_a_stream_gives_the_batches_in_order_from_any_step(arrays: FrameArrays) -> None:
    spec = BatchSpec(size=2)
    with BatchStream(arrays, spec, first_step=3) as stream:
        for step, batch in zip(range(3, 8), stream, strict=False):
            assert batch.step == step
            np.testing.assert_array_equal(batch.rgb, make_batch(arrays, step, spec).rgb)


def test_an_error_in_the_thread_is_raised_where_the_batch_is_wanted() -> None:
    empty = np.zeros((2, *SIZE), np.uint8)
    broken = FrameArrays(
        rgb=empty, semantic=empty, instance=empty, depth=empty.astype(np.float16), fx=np.ones(2, np.float32)
    )
    with BatchStream(broken, BatchSpec(size=2)) as stream, pytest.raises(Exception, match=r".+"):
        next(iter(stream))


def test_shapes_and_dtypes_of_a_batch(arrays: FrameArrays) -> None:
    batch = make_batch(arrays, 0, BatchSpec(size=3))
    assert (batch.rgb.shape, batch.rgb.dtype) == ((3, *SIZE, 3), np.uint8)
    assert batch.category.shape == batch.weight.shape == batch.center.shape == batch.thing.shape == (3, 48, 64)
    assert (batch.offset.shape, batch.log_depth.shape) == ((3, 2, 48, 64), (3, 48, 64))


def test_depth_of_a_batch_is_canonical(arrays: FrameArrays) -> None:
    spec = BatchSpec(size=2, augment=AugmentSpec(strength=0.0), reference_focal_px=310.0)
    batch = make_batch(arrays, 0, spec)
    for index, log_depth in zip(batch_indices(0, len(arrays), spec), batch.log_depth, strict=True):
        metres = np.exp(log_depth) * arrays.fx[index] / 310.0
        depth = arrays.depth[index].astype(np.float32)
        errors = [np.abs(metres - depth[dy::2, dx::2]).max() for dy in (0, 1) for dx in (0, 1)]
        assert min(errors) < 1e-3


def test_instances_become_dense_and_stay_apart(rng: np.random.Generator) -> None:
    instance = rng.choice(np.array([0, 3, 500, 65535], np.uint16), (20, 20))
    dense = dense_instances(instance)
    assert set(np.unique(dense)) == {0, 1, 2, 3}
    assert len(np.unique(np.stack([instance, dense]).reshape(2, -1), axis=1).T) == 4
    with pytest.raises(TrainingError, match="at most 255"):
        dense_instances(np.arange(400, dtype=np.uint16)[None])


def test_frames_read_through_the_cache_are_those_of_the_data_set(dataset: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    arrays = load_frames([dataset, dataset], (48, 64), tmp_path / "cache", progress=lambda done, _: seen.append(done))
    assert len(arrays) == 8
    assert seen == list(range(1, 9))
    opened = Dataset.open(dataset)
    for i in range(4):
        expected = sample_of(opened[i], (48, 64))
        for k in (i, i + 4):
            np.testing.assert_array_equal(arrays.rgb[k], expected.rgb)
            np.testing.assert_array_equal(arrays.semantic[k], expected.semantic)
            np.testing.assert_array_equal(arrays.instance[k], expected.instance)
            np.testing.assert_allclose(arrays.depth[k].astype(np.float32), expected.depth_m, rtol=1e-3)
    again = load_frames([dataset, dataset], (48, 64), tmp_path / "cache", progress=lambda *_: pytest.fail("read twice"))
    np.testing.assert_array_equal(again.rgb, arrays.rgb)
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] == [""]


def test_a_damaged_data_set_leaves_no_cache(dataset: Path, tmp_path: Path) -> None:
    picture = sorted(dataset.glob("rgb_*.png"))[2]
    picture.write_bytes(picture.read_bytes()[:-9])
    with pytest.raises(DatasetError, match=picture.name):
        load_frames([dataset], (48, 64), tmp_path / "cache")
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] in ([], [".staging"])


def test_a_larger_frame_keeps_its_view_and_halves_its_focal_length(dataset: Path) -> None:
    frame = Dataset.open(dataset)[0]
    small = sample_of(frame, (24, 32))
    assert small.rgb.shape == (24, 32, 3)
    assert small.fx == pytest.approx(frame.camera.fx / 2)
    assert set(np.unique(small.semantic)) <= set(np.unique(frame.truth.semantic))
