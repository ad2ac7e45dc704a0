"""The rules by themselves, with times that are told: what is too long, and what is too often."""

import pytest

from hil.agent.service import parse_service
from hil.agent.watchdog import RestartRule, Watchdog

S = 1_000_000_000


def seen(watchdog, seconds, every_s=0.1):
    """Looks at it ten times a second, as the agent does, and returns when it first speaks and what it says."""
    for k in range(1, round(seconds / every_s) + 1):
        now_ns = round(k * every_s * S)
        if (silent_s := watchdog.hung_s(now_ns)) is not None:
            return now_ns / S, silent_s
    return None


def test_it_waits_two_seconds_for_a_quick_engine():
    watchdog = Watchdog()
    watchdog.learn([0.01] * 10)
    watchdog.began(0)
    assert seen(watchdog, 10) == (pytest.approx(2.1), pytest.approx(2.1))


def test_it_waits_twenty_medians_for_a_slow_one():
    watchdog = Watchdog()
    for k in range(7):
        watchdog.began(k * S)
        watchdog.finished(k * S + (S // 2 if k != 3 else 90 * S))  # one outlier moves no median
    assert watchdog.limit_s == pytest.approx(10.0)


def test_what_the_user_says_counts():
    watchdog = Watchdog(limit_s=0.5)
    watchdog.learn([3.0] * 10)
    watchdog.began(0)
    assert seen(watchdog, 5)[0] == pytest.approx(0.6)


def test_an_idle_engine_never_hangs():
    watchdog = Watchdog()
    assert seen(watchdog, 100) is None
    watchdog.began(0)
    watchdog.finished(S)
    assert seen(watchdog, 100) is None
    watchdog.began(0)
    watchdog.stop()
    assert seen(watchdog, 100) is None


def test_an_agent_that_was_stopped_itself_blames_nobody():
    """SIGSTOP of the agent for a minute: the engine was stopped too, or is done; one look is not a minute of silence."""
    watchdog = Watchdog()
    watchdog.began(0)
    assert watchdog.hung_s(S // 10) is None
    assert watchdog.hung_s(60 * S) is None


@pytest.mark.parametrize("wrong", [{"limit_s": 0.0}, {"limit_s": float("nan")}, {"least_s": -1.0}])
def test_no_patience_is_no_rule(wrong):
    with pytest.raises(ValueError, match="positive time"):
        Watchdog(**wrong)


def test_restarts_back_off_and_end():
    rule = RestartRule(most=5, within_s=60)
    rule.progressed()
    assert [rule.failed(k * S) for k in range(6)] == [0.0, 0.25, 0.5, 1.0, 2.0, None]
    assert rule.verdict() == "The engine failed 6 times within 5 s"


def test_an_engine_that_works_in_between_may_fail_for_ever():
    rule = RestartRule(most=5, within_s=60)
    for k in range(100):
        rule.progressed()
        assert rule.failed(k * 61 * S) == 0.0


def test_one_that_never_finishes_a_frame_may_not_however_slowly_it_opens():
    rule = RestartRule(most=5, within_s=60)
    rule.progressed()
    delays = [rule.failed(k * 100 * S) for k in range(6)]
    assert delays[-1] is None
    assert None not in delays[:-1]


@pytest.mark.parametrize("text", ["p50=40ms", "p50=40ms,p99=45ms", "p50=40ms,p99=400ms,stall=5s/30"])
def test_no_honest_draw_is_longer_than_the_model_s_longest(text, rng):
    model = parse_service(text)
    assert model.times_s(10_000, rng=rng).max() <= model.longest_s
