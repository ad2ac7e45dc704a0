"""Frame records and sessions made by hand, whose figures are known."""

from hil.session import FrameRecord, Session

PERIOD_NS = 66_666_667


def answered(seq, latency_s, *, warm_up=False, late=False, lateness_s=0.0, image=0):
    due_ns = 10**12 + seq * PERIOD_NS
    end_ns = due_ns + round(latency_s * 1e9)
    capture_ns = due_ns + round(lateness_s * 1e9)
    steps = [capture_ns + round((end_ns - capture_ns) * i / 9) for i in range(10)]
    return FrameRecord(
        seq=seq, image=image, warm_up=warm_up, outcome="late" if late else "on_time", due_ns=due_ns, capture_ns=capture_ns,
        send_ns=steps[1], agent_receive_ns=steps[2], agent_preprocess_start_ns=steps[3], agent_infer_start_ns=steps[4],
        agent_infer_end_ns=steps[5], agent_post_end_ns=steps[6], agent_send_ns=steps[7], host_receive_ns=steps[8],
        return_ns=end_ns,
    )  # fmt: skip


def missed(seq, outcome, *, image=0):
    due_ns = 10**12 + seq * PERIOD_NS
    return FrameRecord(
        seq=seq, image=image, warm_up=False, outcome=outcome, due_ns=due_ns, capture_ns=due_ns, reason="because"
    )


def session(records, **changes):
    values = {
        "device": "tcp://127.0.0.1:5555", "rate_hz": 15.0, "deadline_s": 1 / 15, "duration_s": 1.0, "credit": 2,
        "started_utc": "2024-01-01T00:00:00+00:00", "frames": tuple(records), "agent": {"engine": {"name": "none"}},
        "host": {"cpu": None}, "same_clock": True, "clock_note": "one clock", "counters": {"protocol_errors": 0},
    }  # fmt: skip
    return Session(**{**values, **changes})
