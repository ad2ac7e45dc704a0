from types import SimpleNamespace

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.link.answer import STAMPS, open_answer, pack_answer
from hil.link.protocol import Kind, ProtocolError, open_message, pack, seal
from perception.prediction import Prediction, Segment
from scenes.box import OrientedBox
from scenes.transforms import Pose

SIZE = (6, 8)
STAMP_VALUES = {name: 10**12 + i for i, name in enumerate(STAMPS)}
FLOATS = st.floats(-1e6, 1e6)
EDGES = st.tuples(*[st.floats(1e-3, 1e3)] * 3)


@st.composite
def predictions(draw):
    ids = draw(
        st.lists(st.integers(1, draw(st.sampled_from([9, 255, 65535, 2**31 - 1]))), unique=True, min_size=1, max_size=6)
    )
    box = st.builds(lambda p, s: OrientedBox(Pose(p), s), st.tuples(FLOATS, FLOATS, FLOATS), EDGES)
    segments = tuple(
        Segment(
            id=i,
            category_id=draw(st.integers(1, 17)),
            score=draw(st.floats(0, 1)),
            depth_m=draw(st.floats(0.01, 90)),
            box_camera=draw(st.none() | box),
        )
        for i in ids
    )
    chosen = draw(hnp.arrays(np.int64, SIZE, elements=st.integers(0, len(ids))))
    segment_id = np.array([0, *ids], dtype=np.int32)[chosen]
    depth_m = draw(hnp.arrays(np.float32, SIZE, elements=st.floats(np.float32(0.01), 100, width=32)))
    return Prediction(segment_id=segment_id, segments=segments, depth_m=depth_m)


def reopened(body):
    return open_message([bytes(part) for part in seal(body)])


@given(predictions())
@settings(deadline=None)
def test_a_prediction_crosses_the_link_bit_for_bit(prediction):
    got, stamps = open_answer(reopened(pack_answer(prediction, STAMP_VALUES)), size=SIZE, categories=18)
    assert got.segments == prediction.segments
    assert np.array_equal(got.segment_id, prediction.segment_id)
    assert got.depth_m.tobytes() == prediction.depth_m.tobytes()
    assert stamps == STAMP_VALUES


def good():
    ids = np.ones(SIZE, np.uint8)
    meta = {"segments": [[1, 2, 0.5, 1.0]], "stamps": list(STAMP_VALUES.values())}
    return SimpleNamespace(meta=meta, arrays=[ids, np.ones(SIZE, np.float32)])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda g: g.arrays.pop(), "two maps"),
        (lambda g: g.arrays.__setitem__(0, g.arrays[0][:3]), "image of"),
        (lambda g: g.arrays.__setitem__(1, np.ones(SIZE, np.int32)), "float32 depth"),
        (lambda g: g.arrays[1].__setitem__((2, 2), np.nan), "finite and positive"),
        (lambda g: g.arrays[1].__setitem__((2, 2), np.inf), "finite and positive"),
        (lambda g: g.arrays[1].__setitem__((2, 2), 0), "finite and positive"),
        (lambda g: g.arrays[0].__setitem__((0, 0), 9), "not in its list"),
        (lambda g: g.meta["segments"].append([1, 2, 0.5, 1.0]), "unique"),
        (lambda g: g.meta["segments"].append([2, 18, 0.5, 1.0]), "category"),
        (lambda g: g.meta["segments"].append([2, 1, float("nan"), 1.0]), "finite"),
        (lambda g: g.meta["segments"].append([2, 1, 0.5, 1.0, *[0.0] * 10]), "quaternion"),
        (lambda g: g.meta["segments"].append([2, 1, 0.5, 1.0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0]), "edges"),
        (lambda g: g.meta.pop("stamps"), "time stamps"),
        (lambda g: g.meta.__setitem__("segments", {}), "list of segments"),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_hold_together_says_why(change, sentence):
    answer = good()
    open_answer(reopened(pack(Kind.RESULT, answer.meta, answer.arrays)), size=SIZE, categories=18)
    change(answer)
    with pytest.raises(ProtocolError, match=sentence):
        open_answer(reopened(pack(Kind.RESULT, answer.meta, answer.arrays)), size=SIZE, categories=18)


VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5)


@given(st.lists(VALUES | st.lists(VALUES, max_size=15), max_size=4), st.lists(VALUES, max_size=7))
@settings(max_examples=1000, deadline=None)
def test_hostile_answers_are_protocol_errors(rows, stamps):
    message = reopened(pack(Kind.RESULT, {"segments": rows, "stamps": stamps}, good().arrays))
    try:
        open_answer(message, size=SIZE, categories=18)
    except ProtocolError:
        return
    assert [row[0] for row in rows if row[0] == 1] == [1]
