"""Images and answers come out of the shared memory as they went in, and nothing outside the slots is ever read."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from hil.agent.engine_memory import EngineMemory
from hil.link.answer import STAMPS, open_answer, pack_answer
from hil.link.protocol import MAX_PART_BYTES, Kind, open_message, pack, seal
from perception.prediction import Prediction, Segment


@pytest.fixture
def sides():
    """The same memory, mapped twice, as two processes have it."""
    ours = EngineMemory()
    theirs = EngineMemory(os.dup(ours.descriptor))
    yield ours, theirs
    theirs.close()
    ours.close()


@pytest.mark.parametrize("shape", [(1, 1, 3), (48, 64, 3), (480, 640, 3), (1200, 1920, 3)])
def test_both_slots_hold_an_image_of_their_own(sides, shape):
    ours, theirs = sides
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, shape).astype(np.uint8) for _ in range(2)]
    for slot, image in enumerate(images):
        ours.put_image(slot, image)
    for slot, image in enumerate(images):
        assert np.array_equal(theirs.image(slot, shape), image)
        assert not theirs.image(slot, shape).flags.writeable


def test_an_image_that_is_not_contiguous(sides):
    ours, theirs = sides
    wide = np.arange(48 * 128 * 3, dtype=np.uint8).reshape(48, 128, 3)
    ours.put_image(0, wide[:, ::2])
    assert np.array_equal(theirs.image(0, (48, 64, 3)), wide[:, ::2])


def test_an_answer_is_the_very_message(sides):
    ours, theirs = sides
    ids = np.tile(np.array([[1, 2]], np.int32), (48, 32))
    segments = tuple(Segment(id=k, category_id=3, score=0.5, depth_m=1.0) for k in (1, 2))
    depth_m = np.random.default_rng(1).uniform(0.1, 9, (48, 64)).astype(np.float32)
    body = pack_answer(Prediction(segment_id=ids, segments=segments, depth_m=depth_m), dict.fromkeys(STAMPS, 5))
    sizes = theirs.put_answer(1, body)
    found = ours.answer(1, int(body.kind), sizes, body.checksum)
    message = open_message([bytes(part) for part in seal(found)])
    found, stamps = open_answer(message, size=(48, 64), categories=10)
    assert (message.kind, stamps["send_ns"]) == (Kind.RESULT, 5)
    assert np.array_equal(found.depth_m, depth_m)
    assert np.array_equal(found.segment_id, ids)


def test_a_slot_is_given_out_again_when_nobody_looks_at_its_answer_any_more(sides):
    ours, theirs = sides
    kept = {}
    for k in range(20):
        slot = ours.free_slot()
        body = pack(Kind.RESULT, {"k": k}, (np.full((8, 8), k, np.uint8),))
        kept[k] = ours.answer(slot, int(Kind.RESULT), theirs.put_answer(slot, body), body.checksum)
        if k % 2:  # every other one leaves at once
            del kept[k]
    for k, body in kept.items():
        assert bytes(body.arrays[0]) == bytes([k]) * 64
    kept.clear()
    gc.collect()
    assert ours._leaving == set()


@pytest.mark.parametrize(
    "sizes", [[], [-1], [10, -5], [2**20], [10, MAX_PART_BYTES + 1], [10, 1, 1, 1, 1, 1]],
    ids=["none", "negative", "a negative array", "large metadata", "a large array", "many arrays"],
)  # fmt: skip
def test_sizes_that_no_answer_has_are_refused(sides, sizes):
    with pytest.raises(ValueError, match="engine's process"):
        sides[0].answer(0, int(Kind.RESULT), sizes, 0)


@pytest.mark.parametrize("checksum", [-1, 2**64, None, "0", True])
def test_an_answer_without_a_checksum_is_refused(sides, checksum):
    with pytest.raises(ValueError, match="no checksum"):
        sides[0].answer(0, int(Kind.RESULT), [1], checksum)


@pytest.mark.parametrize(("slot", "shape"), [(2, (4, 4, 3)), (-1, (4, 4, 3)), (0, (4, 4)), (0, (4000, 4000, 3)), (0, (0, 4, 3))])
def test_an_image_outside_the_slots_is_refused(sides, slot, shape):
    with pytest.raises(ValueError, match="There is no image"):
        sides[0].image(slot, shape)


def test_it_has_no_name_that_could_be_left_behind(sides):
    assert "deleted" in str(Path(f"/proc/self/fd/{sides[0].descriptor}").readlink())


def test_neither_side_can_take_the_memory_from_under_the_other(sides):
    with pytest.raises(OSError, match="not permitted"):
        os.ftruncate(sides[1].descriptor, 0)


def test_closing_twice_is_closing_once():
    memory = EngineMemory()
    memory.close()
    memory.close()
