"""A frame that would only wait at a busy engine stays at the source, where a newer one can still replace it.

An engine that is slower than the camera shall find a frame as soon as it is free, and one as new as can be. So the next frame
leaves when it will arrive just before that. What is expected follows from the last answers: for how long the engine is busy, on
the device's clock, and what the link adds, which is the rest of the round trip on the host's. Nothing compares the two clocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

_KEPT = 20
# An engine may end earlier than usual and a link be slower: neither shall leave the engine without a frame.
_BUSY_AT_LEAST, _LINK_AT_MOST = 0.1, 0.9
_MARGIN_NS = 2_000_000


class Release:
    """Says when the next frame is to leave while others are in flight; at once before anything is known."""

    def __init__(self) -> None:
        self._busy_ns: deque[int] = deque(maxlen=_KEPT)
        self._link_ns: deque[int] = deque(maxlen=_KEPT)
        self._answered_ns = 0

    def answered(self, now_ns: int) -> None:
        """An answer came."""
        self._answered_ns = now_ns

    def learn(self, stamps: Mapping[str, int]) -> None:
        """Takes the stamps of an answer that was decoded, by the names of FrameRecord's fields."""
        there_ns = stamps["agent_post_end_ns"] - stamps["agent_receive_ns"]
        self._busy_ns.append(stamps["agent_post_end_ns"] - stamps["agent_preprocess_start_ns"])
        self._link_ns.append(stamps["host_receive_ns"] - stamps["send_ns"] - there_ns)

    def at_ns(self, first_sent_ns: int, in_flight: int) -> int:
        """Returns when one more frame is to leave; the first of those in flight left at `first_sent_ns`."""
        if not self._busy_ns:
            return 0
        began_ns = max(first_sent_ns, self._answered_ns - _of(self._link_ns, _LINK_AT_MOST))
        return began_ns + in_flight * _of(self._busy_ns, _BUSY_AT_LEAST) - _MARGIN_NS


def _of(values: deque[int], share: float) -> int:
    return sorted(values)[int(share * len(values))]
