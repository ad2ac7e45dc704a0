"""A frame that its agent neither owes nor answered was lost on the way: its credit comes back in tenths of a second.

Messages keep their order. An agent that answers a PING says which frames of this session it owes an answer; a frame that
left before the PING and is not among them was never received, or its answer never arrived. Two PONGs have to say so, since
a broken link may let messages overtake each other. Without this, one lost frame would hold its credit for seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from hil.link.protocol import Message

_PONGS = 2


class Unowed:
    """Remembers how many PONGs in a row did not know of a frame."""

    def __init__(self) -> None:
        self._silent: dict[int, int] = {}

    def lost(self, pong: Message, sent_ns: Mapping[int, int]) -> list[int]:
        """Returns which frames in flight are lost; `sent_ns` holds when each left, `pong.seq` when its PING did.

        An agent that says nothing of what it owes loses none.
        """
        owes = pong.meta.get("owes")
        if not isinstance(owes, list):
            return []
        missing = [seq for seq, left_ns in sent_ns.items() if left_ns < pong.seq and seq not in owes]
        self._silent = {seq: self._silent.get(seq, 0) + 1 for seq in missing}
        return [seq for seq, count in self._silent.items() if count >= _PONGS]
