import pytest

from hil.verdict import MIN_FRAMES, judge
from tests.hil.records import answered, missed, session

GOOD = [answered(i, 0.030) for i in range(100)]


def test_the_smallest_sample_is_the_smallest_that_can_show_it():
    assert 0.95**MIN_FRAMES < 0.01 <= 0.95 ** (MIN_FRAMES - 1)


@pytest.mark.parametrize(
    ("records", "changes", "status", "sentence"),
    [
        (GOOD, {}, "PASS", "p95 end-to-end latency is 30.0 ms at 15 FPS over 100 frames"),
        (GOOD[:97] + [answered(i, 0.07, late=True) for i in range(97, 100)], {}, "PASS", "3 frames missed"),
        (GOOD[:90] + [answered(i, 0.07, late=True) for i in range(90, 100)], {}, "FAIL", "p95 end-to-end latency is 70.0"),
        ([*GOOD[:99], missed(99, "dropped")], {}, "FAIL", "1 dropped"),
        ([*GOOD[:99], missed(99, "lost")], {}, "FAIL", "1 lost"),
        ([*GOOD[:98], missed(98, "error"), missed(99, "rejected")], {}, "FAIL", "1 error, 1 rejected"),
        (GOOD, {"fault": "The agent fell silent."}, "FAIL", "The agent fell silent."),
        (GOOD[:89], {}, "INVALID", "too few"),
        ([answered(i, 0.03, lateness_s=0.004) for i in range(100)], {}, "INVALID", "could not keep the clock"),
        ([*GOOD[:99], answered(99, 0.03, lateness_s=0.017)], {}, "INVALID", "could not keep the clock"),
        ([answered(i, 0.03, lateness_s=0.003) for i in range(100)], {}, "PASS", "none was dropped or lost"),
    ],
)  # fmt: skip
def test_verdicts(records, changes, status, sentence):
    verdict = judge(session(records, **changes))
    assert (verdict.status, sentence in verdict.reason) == (status, True), verdict
