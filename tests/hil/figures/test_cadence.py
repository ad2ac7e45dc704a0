import math

import numpy as np
import pytest

from hil.figures.cadence import ages_s, jitter_s, lateness_s
from tests.hil.records import PERIOD_NS, answered, missed

PERIOD_S = PERIOD_NS / 1e9
RATE_HZ = 1 / PERIOD_S


def test_answers_at_a_constant_pace_have_no_jitter():
    assert np.abs(jitter_s([answered(i, 0.030) for i in range(10)], RATE_HZ)).max() < 1e-9


def test_jitter_of_a_known_pattern():
    found = jitter_s([answered(i, 0.030 + 0.004 * (i % 2)) for i in range(10)], RATE_HZ)
    assert found == pytest.approx([0.004, -0.004] * 4 + [0.004], abs=1e-9)


def test_a_drop_is_a_gap_of_a_period():
    found = jitter_s([answered(0, 0.03), missed(1, "dropped"), answered(2, 0.03)], RATE_HZ)
    assert found == pytest.approx([PERIOD_S], abs=1e-9)


def test_a_queue_that_drains_at_a_constant_pace_has_jitter():
    """The second difference, which others report, is zero here."""
    found = jitter_s([answered(i, 0.9 - 0.02 * i) for i in range(10)], RATE_HZ)
    assert found == pytest.approx([-0.02] * 9, abs=1e-6)


def test_the_age_of_an_engine_that_keeps_up_is_one_period():
    ages = ages_s([answered(i, 0.030) for i in range(10)])
    assert math.isinf(ages[0])
    assert ages[1:] == pytest.approx([PERIOD_S] * 9)


def test_the_age_grows_while_nothing_comes():
    records = [answered(0, 0.030), missed(1, "lost"), missed(2, "lost"), missed(3, "dropped"), answered(4, 0.03)]
    assert ages_s(records)[1:] == pytest.approx([PERIOD_S, 2 * PERIOD_S, 3 * PERIOD_S, 4 * PERIOD_S])


def test_an_older_answer_that_comes_later_does_not_replace_a_newer_one():
    records = [answered(0, 0.19), answered(1, 0.02), missed(2, "lost"), missed(3, "lost"), missed(4, "lost")]
    assert ages_s(records)[2:] == pytest.approx([PERIOD_S, 2 * PERIOD_S, 3 * PERIOD_S])


def test_an_answer_of_the_warm_up_is_a_result():
    assert ages_s([answered(0, 0.03, warm_up=True), answered(1, 0.03)]) == pytest.approx([PERIOD_S])


def test_no_answer_has_no_age():
    assert np.isinf(ages_s([missed(i, "lost") for i in range(3)])).all()


def test_lateness_is_of_the_generator_alone():
    assert lateness_s([answered(0, 0.5, lateness_s=0.002), missed(1, "lost")]) == pytest.approx([0.002, 0.0])
