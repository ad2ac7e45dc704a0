import pytest

from hil.verdict import judge
from tests.hil.records import answered, missed, session

GOOD = [answered(i, 0.030) for i in range(100)]
MANY = [answered(i, 0.030) for i in range(1000)]


def late(records, *at):
    return [answered(r.seq, 0.07, late=True) if r.seq in at else r for r in records]


def never(records, outcome, *at):
    return [missed(r.seq, outcome) if r.seq in at else r for r in records]


@pytest.mark.parametrize(
    ("records", "changes", "status", "sentence"),
    [
        (GOOD, {}, "PASS", "0 of 100 due frames missed the deadline of 66.7 ms at 15 FPS: at most 4.5 % with 99 %"),
        (late(GOOD, 50), {}, "FAIL", "1 of 100 due frames missed"),
        (late(MANY, 7, 500, 900), {}, "PASS", "3 of 1000 due frames missed"),
        (never(MANY, "dropped", 7, 500, 900), {}, "PASS", "3 of 1000 due frames missed"),
        (late(MANY, 7, 500), {"claim": 0.99}, "PASS", "where the claim allows 1 %"),
        (late(MANY, 7, 500, 900), {"claim": 0.99}, "FAIL", "where the claim allows 1 %"),
        (late(MANY, *range(480, 496)), {"claim": 0.95}, "FAIL", "16 of 1000"),  # the exact bound alone would pass it
        (late(MANY, *range(1, 1000, 61)), {"claim": 0.95}, "PASS", "17 of 1000"),  # as many, but not at once
        (never(MANY, "lost", 99), {}, "FAIL", "1 lost; none may be"),
        (never(never(MANY, "error", 98), "rejected", 99), {}, "FAIL", "1 error, 1 rejected"),
        (GOOD, {"fault": "The agent fell silent."}, "FAIL", "The agent fell silent."),
        (GOOD[:89], {}, "INVALID", "89 frames are too few for the claim that 95 % are on time; at least 90"),
        (MANY, {"claim": 0.999}, "INVALID", "at least 4603 are needed"),
        ([answered(i, 0.03, lateness_s=0.0011) for i in range(100)], {}, "INVALID", "could not keep the clock"),
        ([*GOOD[:99], answered(99, 0.03, lateness_s=0.017)], {}, "INVALID", "could not keep the clock"),
        ([*MANY[:999], answered(999, 0.03, lateness_s=0.017)], {}, "INVALID", "17.0 ms late (max)"),
        ([answered(i, 0.03, lateness_s=0.0009) for i in range(100)], {}, "PASS", "0 of 100"),
    ],
)  # fmt: skip
def test_verdicts(records, changes, status, sentence):
    verdict = judge(session(records, **changes))
    assert (verdict.status, sentence in verdict.reason) == (status, True), verdict


def test_a_rate_that_is_not_sustained_fails_a_run_that_missed_nothing():
    records = [answered(i, 0.030 if i < 8000 else 0.034) for i in range(9000)]
    verdict = judge(session(records, claim=0.999))
    assert verdict.status == "FAIL"
    assert "30.0 ms in the first minute and 34.0 ms in the last, a change of +13%" in verdict.reason


def test_runs_are_judged_together():
    assert judge(session(MANY), session(MANY)).status == "PASS"
    faulty = session(GOOD, fault="The agent died.")
    assert judge(session(MANY), faulty).reason == "The agent died."
    assert "1 lost" in judge(session(MANY), session(never(MANY, "lost", 3))).reason
    assert judge(session(GOOD[:50]), session(GOOD[:50])).status == "PASS"  # 100 frames in all


def test_an_agent_that_was_not_started_anew_is_marked():
    one, other = session(GOOD, agent={"instance": "a"}), session(GOOD, agent={"instance": "b"})
    assert judge(one, other).marks == judge(session(GOOD), session(GOOD)).marks == ()
    assert judge(one, other, one).marks[0].startswith("SAME PROCESS")


def test_every_rule_is_told_whatever_the_verdict():
    checks = judge(session([*GOOD[:50], missed(50, "lost")])).checks
    assert {c.name: c.status for c in checks} == {
        "the agent stays": "pass", "enough frames for the claim": "invalid", "the host keeps the clock": "pass",
        "no answer is lost or wrong": "fail", "the claim is shown": "fail", "the rate is sustained": "skipped",
        "the agent's memory is bounded": "skipped",
    }  # fmt: skip


def test_marks_stand_beside_the_status():
    rule = {"cap_s": 60.0, "windows": 3}
    restless = session(GOOD, warm_up={"rule": rule, "frames": 900, "settled": False})
    assert judge(restless).status == "PASS"
    assert "UNSETTLED" in judge(restless).marks[0]
    emulated = session(GOOD, agent={"engine": {"emulates": "a made-up device"}})
    verdict = judge(emulated, emulated)
    assert verdict.marks == ("EMULATED: no device was measured; the agent is a made-up device.",)
    assert verdict.to_dict()["marks"] == list(verdict.marks)
