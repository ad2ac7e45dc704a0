import math

import pytest

from hil.host.warm_up import WarmUp

RATE_HZ = 15.0


def test_the_least_is_frames_and_seconds():
    assert WarmUp().least(15) == 75
    assert WarmUp().least(5) == 50
    assert WarmUp().most(15) == 900
    assert WarmUp(windows=0).most(15) == 75
    assert WarmUp(cap_s=1).most(15) == 75  # the cap never cuts the least


@pytest.mark.parametrize(
    ("medians", "settled"),
    [
        ((0.040, 0.040, 0.040), True),
        ((0.040, 0.0419, 0.041), True),
        ((0.040, 0.0421, 0.041), False),
        ((0.080, 0.060, 0.040), False),
        ((0.001, 0.00149, 0.001), True),  # half a millisecond always agrees
        ((0.001, 0.00151, 0.001), False),
        ((math.inf, math.inf, math.inf), True),  # an overload is a steady state too
        ((0.040, math.inf, 0.040), False),
    ],
)
def test_three_medians_that_agree_end_it(medians, settled):
    latencies = [9.9] * 30 + [median for median in medians for _ in range(15)]
    assert WarmUp().settled(latencies, RATE_HZ) is settled


def test_too_few_frames_have_not_settled():
    assert not WarmUp().settled([0.04] * 44, RATE_HZ)
    assert WarmUp().settled([0.04] * 45, RATE_HZ)


def test_no_windows_settle_at_once():
    assert WarmUp(windows=0).settled([], RATE_HZ)


@pytest.mark.parametrize("change", [{"frames": -1}, {"tolerance": -0.1}, {"tolerance": math.nan}, {"cap_s": -1.0}])
def test_nonsense_is_refused(change):
    with pytest.raises(ValueError, match="not negative"):
        WarmUp(**change)
