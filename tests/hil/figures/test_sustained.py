import math

import pytest

from hil.figures.sustained import sustained
from tests.hil.records import answered, missed

RATE_HZ = 2.0  # ten minutes are 1,200 frames then
FRAMES = 1200


def run(first_s, middle_s, last_s):
    records = [answered(i, first_s) for i in range(120)] + [answered(120 + i, middle_s) for i in range(FRAMES - 240)]
    return records + [answered(FRAMES - 120 + i, last_s) for i in range(120)]


def test_a_shorter_run_claims_nothing():
    assert sustained(run(0.03, 0.03, 0.03)[1:], RATE_HZ) is None


@pytest.mark.parametrize(
    ("last_s", "holds"), [(0.03, True), (0.0314, True), (0.0316, False), (0.0286, True), (0.0284, False)]
)
def test_more_than_five_percent_is_not_sustained(last_s, holds):
    found = sustained(run(0.03, 0.5, last_s), RATE_HZ)
    assert found.holds is holds
    assert found.drift == pytest.approx(last_s / 0.03 - 1)
    assert (found.first.p50_s, found.last.p50_s) == (pytest.approx(0.03), pytest.approx(last_s))


def test_a_device_that_stops_answering_has_not_sustained_its_rate():
    records = run(0.03, 0.03, 0.03)[: FRAMES - 120] + [missed(FRAMES - 120 + i, "dropped") for i in range(120)]
    found = sustained(records, RATE_HZ)
    assert math.isinf(found.drift)
    assert not found.holds
    assert found.last.misses == 120
    assert found.to_dict()["drift"] == "inf"


def test_one_that_never_answered_did_not_drift():
    assert sustained([missed(i, "lost") for i in range(FRAMES)], RATE_HZ).drift == 0.0
