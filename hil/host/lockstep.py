"""Lockstep: simulated time waits for the engine, so one that is slower than real time still answers every frame.

Each frame leaves when the answer before it is decoded, and how long it was served is measured, from leaving to decoded. Then
the schedule of a real camera is played on a virtual clock with these times, keep-latest (as sAP's srt_det does it; Li, Wang,
Ramanan, ECCV 2020). What comes out is a session as any other, with stamps that were computed: `Session.lockstep` keeps the
measured ones, the verdict is marked LOCKSTEP, and a recording is only believed where the one follows from the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.figures.clock import ClockFit
from hil.figures.quantiles import quantile_s
from hil.figures.rules import keep_latest
from hil.host.images import Filming
from hil.host.recorder import Sink
from hil.host.runner import FrameSource, run_session
from hil.host.stream import Stream
from hil.host.warm_up import WarmUp
from hil.link.sockets import DEFAULT_ADDRESS
from hil.profiles import DEADLINE_S
from hil.progress import Progress
from hil.session import FrameRecord, Outcome, Session

# An engine that warms up does so within some frames, however slow it is.
WARM_UP = WarmUp(frames=10, seconds=0.0, windows=0, cap_s=0.0)
PATIENCE_S = 60.0
_STAMPS = tuple(f.name for f in fields(FrameRecord) if f.name.endswith("_ns"))
_OF_AGENT = tuple(name for name in _STAMPS if name.startswith("agent_"))
_REPLACED = "a newer frame replaced it while the engine was busy, by computation"


class LockstepStream(Stream):
    """One run over an open link in which a frame is due when the answer before it was decoded."""

    waits = True

    def progress(self) -> Progress:
        """Returns the counts so far; what is left is guessed from the time that a frame takes."""
        told = super().progress()
        left = len(self.ledger.entries) - self.ledger.handed_over
        return replace(told, remaining_s=left * (told.p50_ms or 0.0) / 1e3)

    def _is_due(self, now_ns: int) -> bool:
        at = self.ledger.handed_over
        if at == len(self.ledger.entries) or self._in_flight or self._undecoded or self._mailbox is not None:
            return False
        if self._reconnection.gone:  # simulated time waits for the agent too
            return False
        self.ledger.entries[at].due_ns = now_ns
        return True

    def _decoding_fits(self, now_ns: int) -> bool:  # noqa: ARG002  # no frame is due before it is decoded
        return True

    def _wait_s(self) -> float:
        return 0.0 if self._client.readable() else max(self._next_ping_ns - time.monotonic_ns(), 0) / 1e9

    def _give_up_old(self, now_ns: int) -> None:
        for entry in list(self._in_flight.values()):
            if now_ns - entry.stamps["send_ns"] > PATIENCE_S * 1e9:
                del self._in_flight[entry.seq]
                self.ledger.missed(entry, "lost", f"no answer within {PATIENCE_S:g} s")


def run_lockstep(
    dataset: FrameSource,
    *,
    device: str = DEFAULT_ADDRESS,
    rate_hz: float = 15.0,
    duration_s: float = 20.0,
    deadline_s: float = DEADLINE_S,
    claim: float = 0.95,
    profile: str = "custom",
    about: Mapping[str, Any] | None = None,
    connect_timeout_s: float = 3.0,
    progress: Callable[[Progress], None] | None = None,
    sinks: Sequence[Sink] = (),
    **link: Any,
) -> Session:
    """Streams as many frames as are due in `duration_s` at `rate_hz`, one after the other, and returns the session as computed.

    `link` is what `run_session` takes of keys, packing and idle cores. The `sinks` get what was measured: a recording of it is
    read as the session that follows from it, however far it goes.
    Takes as long as the engine takes for all of them. Raises TypeError for a camera that films while it is played, and LinkError
    where no session can begin.
    """
    if isinstance(dataset, Filming):
        raise TypeError("Lockstep waits for the engine, and a live camera waits for nobody: film a Clip first and play that.")
    measured = run_session(
        dataset, device=device, rate_hz=rate_hz, duration_s=duration_s, warm_up=WARM_UP, deadline_s=deadline_s, credit=1,
        claim=claim, profile=profile, about=about, connect_timeout_s=connect_timeout_s, progress=progress,
        stream=LockstepStream, sinks=sinks, **link,
    )  # fmt: skip
    return as_scheduled(measured)


def as_scheduled(measured: Session) -> Session:
    """Returns the session that a real camera would have had, by the service times of one in lockstep."""
    fit = _fit(measured)
    rows = [[getattr(frame, name) for name in _COLUMNS] for frame in measured.frames]
    changes: dict[str, Any] = {}
    if not measured.same_clock and fit is not None:
        changes = {"same_clock": True, "clock_note": f"{measured.clock_note}; the device's stamps were moved to the host's clock"}
    elif not measured.same_clock:
        changes = {"clock": {}}
    return replace(
        measured,
        frames=scheduled_frames(measured.frames, rate_hz=measured.rate_hz, deadline_s=measured.deadline_s, fit=fit),
        lockstep={"columns": list(_COLUMNS), "frames": rows},
        **changes,
    )


def recomputed_frames(session: Session) -> tuple[FrameRecord, ...]:
    """Returns the frames of a session in lockstep, computed again from the stamps that it measured; raises KeyError, TypeError
    or ValueError where they are not whole.
    """
    columns = session.lockstep["columns"]
    measured = [FrameRecord(**dict(zip(columns, row, strict=True))) for row in session.lockstep["frames"]]
    moved = "moved to the host's clock" in session.clock_note
    fit = ClockFit.from_dict(dict(session.clock)) if moved else None
    return scheduled_frames(measured, rate_hz=session.rate_hz, deadline_s=session.deadline_s, fit=fit)


def scheduled_frames(
    measured: Sequence[FrameRecord], *, rate_hz: float, deadline_s: float, fit: ClockFit | None = None
) -> tuple[FrameRecord, ...]:
    """Returns the same frames due at `rate_hz`, keep-latest: whole ns, no clock is read.

    Where a frame waits for the one before it, it counts as in the mailbox. A frame without
    an answer takes the median service time. `fit` moves the device's stamps to the host's clock first.
    """
    due_ns = [measured[0].due_ns + round(i * 1e9 / rate_hz) for i in range(len(measured))]
    service_ns = _service_ns(measured)
    # Whole numbers below 2^53 stay whole in a double, so nothing is rounded.
    latency_ns, _ = keep_latest(service_ns, np.array(due_ns, dtype=np.float64) - due_ns[0])
    return tuple(
        _scheduled(frame, due, float(latency), float(service), round(deadline_s * 1e9), fit)
        for frame, due, latency, service in zip(measured, due_ns, latency_ns, service_ns, strict=True)
    )


_COLUMNS = tuple(f.name for f in fields(FrameRecord))


def _service_ns(measured: Sequence[FrameRecord]) -> NDArray[np.float64]:
    served = [
        float(f.return_ns - f.send_ns) if f.return_ns is not None and f.send_ns is not None else None for f in measured
    ]
    known = [value for value in served if value is not None]
    typical = quantile_s(np.array(known), 0.5) if known else 1e9
    return np.array([typical if value is None else value for value in served])


def _scheduled(
    frame: FrameRecord, due_ns: int, latency_ns: float, service_ns: float, deadline_ns: int, fit: ClockFit | None
) -> FrameRecord:
    """Returns one frame at its place in the schedule, all its stamps moved by one shift."""
    bare = FrameRecord(
        seq=frame.seq, image=frame.image, warm_up=frame.warm_up, outcome="dropped", due_ns=due_ns, capture_ns=due_ns,
        reason=_REPLACED,
    )  # fmt: skip
    if np.isinf(latency_ns):
        return bare
    send_ns = due_ns + round(latency_ns - service_ns)
    if frame.send_ns is None or frame.return_ns is None:
        return replace(bare, outcome=frame.outcome, reason=frame.reason, send_ns=send_ns)
    stamps = {name: getattr(frame, name) for name in _STAMPS if name not in ("due_ns", "capture_ns")}
    if fit is not None:
        theirs = fit.to_host_ns(np.array([stamps[name] for name in _OF_AGENT], dtype=np.int64))
        stamps |= dict(zip(_OF_AGENT, (int(v) for v in theirs), strict=True))
    moved: dict[str, Any] = {n: None if value is None else value + send_ns - frame.send_ns for n, value in stamps.items()}
    outcome: Outcome = "on_time" if latency_ns <= deadline_ns else "late"
    return replace(bare, outcome=outcome, reason=None, **moved)


def _fit(session: Session) -> ClockFit | None:
    """Returns what is known of the device's clock where it is another one and known."""
    if session.same_clock or not session.clock:
        return None
    fit = ClockFit.from_dict(dict(session.clock))
    return fit if fit.valid else None
