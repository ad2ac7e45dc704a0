import numpy as np
import pytest

from hil.host.release import Release

MS = 1_000_000
OFFSET_NS = 123_456 * MS  # between the two clocks, which nothing may compare


def stream(*, busy_ms, up_ms, down_ms, rate_hz=15.0, frames=400, credit=2, release=None):
    """A source, a link and an engine event by event, 0.1 ms apart: (when it was due, came, began and ended) of each frame, ns."""
    release = release or Release()
    period_ns, tick_ns = 1e9 / rate_hz, MS // 10
    mailbox, flying, queue, running, answers, done = None, [], [], None, [], []
    due = iter([round(k * period_ns) for k in range(frames)])
    following, now = next(due), 0
    busy_ns = iter(np.asarray(busy_ms, dtype=float) * MS if np.ndim(busy_ms) else [busy_ms * MS] * frames)
    while following is not None or mailbox or flying:
        if following is not None and following <= now:
            mailbox, following = following, next(due, None)
        for frame in [a for a in answers if a["back"] <= now]:
            answers.remove(frame)
            flying.remove(frame)
            release.answered(now)
            release.learn({
                "agent_receive_ns": frame["came"] + OFFSET_NS, "agent_preprocess_start_ns": frame["began"] + OFFSET_NS,
                "agent_post_end_ns": frame["ended"] + OFFSET_NS, "send_ns": frame["sent"], "host_receive_ns": now,
            })  # fmt: skip
        if mailbox is not None and len(flying) < credit and (not flying or now >= release.at_ns(flying[0]["sent"], len(flying))):
            frame = {"due": mailbox, "sent": now, "came": now + round(up_ms * MS)}
            flying.append(frame)
            queue.append(frame)
            mailbox = None
        if running is not None and running["ended"] <= now:
            answers.append(running)
            done.append(running)
            running = None
        if running is None and queue and queue[0]["came"] <= now:
            running = queue.pop(0)
            running |= {"began": now, "ended": now + round(next(busy_ns))}
            running["back"] = running["ended"] + round(down_ms * MS)
        now += tick_ns
    return [tuple(frame[name] / MS for name in ("due", "came", "began", "ended")) for frame in done]


@pytest.mark.parametrize("busy_ms", [70, 90, 150, 400])
@pytest.mark.parametrize(("up_ms", "down_ms"), [(1, 2), (20, 30)])
def test_an_engine_slower_than_the_camera_never_waits_and_never_lets_a_frame_wait(busy_ms, up_ms, down_ms):
    played = np.array(stream(busy_ms=busy_ms, up_ms=up_ms, down_ms=down_ms))[5:-3]
    due, came, began, ended = played.T
    assert (began[1:] - ended[:-1]).max() < 0.5  # the next frame is there when the engine is free
    assert (began - came).max() < 4  # and has just come
    assert (began - due).max() < 1000 / 15 + up_ms + 4  # so none is older than the camera makes it


def test_without_it_a_frame_waits_for_as_long_as_the_engine_works():
    class AtOnce(Release):
        def at_ns(self, *_):
            return 0

    due, _, began, _ = np.array(stream(busy_ms=150, up_ms=1, down_ms=2, release=AtOnce()))[5:-3].T
    assert np.median(began - due) > 150


def test_an_engine_faster_than_the_camera_is_sent_every_frame_at_once():
    due, came, *_ = np.array(stream(busy_ms=40, up_ms=1, down_ms=2)).T
    assert len(due) == 400
    assert (came - due).max() < 1.2


def test_an_engine_that_varies_is_seldom_without_a_frame(rng):
    busy_ms = 100 * rng.lognormal(0, 0.1, 400)
    played = np.array(stream(busy_ms=busy_ms, up_ms=2, down_ms=2))[30:-3]
    idle = played[1:, 2] - played[:-1, 3]
    assert idle.sum() < 0.01 * busy_ms.sum()


def test_nothing_is_held_back_before_anything_is_known():
    assert Release().at_ns(5 * MS, 1) == 0
