"""A frame that stood on the way is too old to be worth an engine's time: its age is known without comparing clocks.

Host stamps and agent stamps differ by an unknown offset plus the time on the way. The least difference of any message is
that of the fastest one; whatever a frame's difference has more than that, it is older. A clock may drift, so the least
difference may grow by as much. This holds after a stopped process, a pulled cable, and for what a kernel kept meanwhile.
"""

from __future__ import annotations

from hil.figures.clock import MAX_DRIFT

# A frame that comes this much later than a period after it was due had stood somewhere; an outage takes longer to be found.
STALL_S = 0.5


class Ages:
    """The ages of what one host sends, at the agent; all times in ns, `sent_ns` of the host's clock."""

    def __init__(self) -> None:
        self._least_ns: int | None = None
        self._at_ns = 0

    def heard(self, sent_ns: int, received_ns: int) -> None:
        """Learns from a small message that says when it left; 0 = it does not say."""
        if sent_ns > 0:
            least_ns = self._drifted_ns(received_ns)
            taken_ns = received_ns - sent_ns
            self._least_ns = taken_ns if least_ns is None else min(least_ns, taken_ns)
            self._at_ns = received_ns

    def age_s(self, due_ns: int, received_ns: int) -> float:
        """Returns how long ago a frame was due, but for the shortest time on the way; 0 where nothing is known."""
        least_ns = self._drifted_ns(received_ns)
        return 0.0 if least_ns is None or due_ns <= 0 else (received_ns - due_ns - least_ns) / 1e9

    def _drifted_ns(self, now_ns: int) -> int | None:
        return None if self._least_ns is None else self._least_ns + round(MAX_DRIFT * max(now_ns - self._at_ns, 0))
