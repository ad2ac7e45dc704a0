import numpy as np
import pytest

from hil.agent.service import parse_service, service_times_s
from hil.session import save_session
from scenes.errors import RehearseError
from tests.hil.records import answered, missed, session


def draw(text, count=20_000, first=0):
    return parse_service(text).times_s(count, rng=np.random.default_rng(7), first=first)


def test_a_constant_is_constant():
    assert set(draw("p50=40ms")) == {0.040}
    assert set(draw("p50=0.04s")) == {0.040}


def test_the_quantiles_are_those_that_were_asked_for():
    times = draw("p50=40ms,p99=60ms", 200_000)
    assert np.quantile(times, [0.5, 0.99]) == pytest.approx([0.040, 0.060], rel=0.01)
    assert times.min() > 0


def test_stalls_come_once_in_so_many_frames_wherever_the_draw_begins():
    whole = draw("p50=40ms,stall=800ms/300", 1200)
    assert np.flatnonzero(whole > 0.5).tolist() == [150, 450, 750, 1050]
    assert whole[150] == pytest.approx(0.84)
    assert np.flatnonzero(draw("p50=40ms,stall=800ms/300", 300, first=100) > 0.5).tolist() == [50]


def test_the_same_seed_gives_the_same_times():
    assert np.array_equal(draw("p50=40ms,p99=60ms"), draw("p50=40ms,p99=60ms"))


def test_a_recording_is_drawn_from(tmp_path):
    records = [answered(0, 3.0, warm_up=True), *(answered(i, 0.010 * i) for i in range(1, 6)), missed(6, "lost")]
    save_session(session(records), tmp_path / "session.json")
    model = parse_service(f"recording={tmp_path / 'session.json'}")
    assert len(model.recorded_s) == 5
    assert set(model.times_s(1000, rng=np.random.default_rng(0))) == set(model.recorded_s)
    assert "5 service times" in model.text


def test_waiting_is_no_service():
    """Two frames 66.7 ms apart, the first of which takes 100 ms: the second one waits for 33.3 ms and then takes 20."""
    records = [answered(0, 0.100), answered(1, 0.100 - 1 / 15 + 0.020)]
    times = service_times_s(records)
    assert times[0] == pytest.approx((records[0].return_ns - records[0].send_ns) / 1e9)
    assert times[1] == pytest.approx(0.020, abs=1e-6)
    assert service_times_s([missed(0, "dropped")]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected something like"), ("p99=40ms", "'p50' is missing"), ("p50=40", "'40' is not a time"),
        ("p50=40ms,p99=30ms", "p50 <= p99"), ("p50=0ms", "p50"), ("p50=40ms,stall=800ms", "invalid literal"),
        ("p50=40ms,stalls=800ms/3", "stalls is not known"), ("recording=none.json", "Cannot read"),
        ("recording=none.json,p50=40ms", "without p50"), ("p50=-40ms", "not a time"),
    ],
)  # fmt: skip
def test_nonsense_is_one_sentence(text, said):
    with pytest.raises(RehearseError, match=said):
        parse_service(text)


def test_a_recording_without_an_answer_is_refused(tmp_path):
    save_session(session([missed(0, "lost")]), tmp_path / "session.json")
    with pytest.raises(RehearseError, match="no answered frame"):
        parse_service(f"recording={tmp_path / 'session.json'}")
