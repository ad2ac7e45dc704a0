"""The lease that an agent gives to one host at a time, and what it remembers of that host's frames."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from hil.agent.staleness import Ages
from hil.link.protocol import Message, printable

LEASE_S = 2.0
# Of this many frames the agent knows that it had them; with a credit of a few it needs no more.
_SEEN = 64


@dataclass(slots=True, kw_only=True)
class Lease:
    """One host's hold on the agent: whose it is, since when, and the frames that came and are owed. Times in ns."""

    peer: bytes
    session: bytes
    host: str
    since_ns: int
    heard_ns: int
    stale_after_s: float = math.inf
    last_seq: int = -1
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=_SEEN))
    owes: set[int] = field(default_factory=set)
    ages: Ages = field(default_factory=Ages)

    @classmethod
    def of(cls, peer: bytes, hello: Message, now_ns: int) -> Lease:
        """Returns the lease that a HELLO asks for."""
        lease = cls(
            peer=peer, session=hello.session, host=printable(hello.meta.get("host", "unknown"))[:100], since_ns=now_ns,
            heard_ns=now_ns, stale_after_s=_stale_after_s(hello.meta.get("stale_after_s")),
        )  # fmt: skip
        lease.ages.heard(hello.sent_ns, now_ns)
        return lease

    def holds_against(self, hello: Message, now_ns: int) -> bool:
        """Whether another host has to wait. One that lost the link comes back at once: it knows the session of the lease."""
        held = now_ns - self.heard_ns < LEASE_S * 1e9
        return held and self.session not in (hello.session, hello.meta.get("follows"))

    def take(self, seq: int) -> None:
        """Enters a frame that the engine will be given."""
        self.last_seq = seq
        self.seen.append(seq)
        self.owes.add(seq)


def _stale_after_s(said: object) -> float:
    """Returns the age at which a host wants its frames dropped; one that says nothing wants none dropped."""
    return float(said) if isinstance(said, float) and said > 0 else math.inf
