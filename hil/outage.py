"""An outage is a time in which the agent was gone, and the run went on without it: when, why, and what it cost.

A session keeps its outages as plain JSON values, `Outage.to_dict`, and its verdict fails by them: an agent has to stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One outage. Stamps are ns of the host's monotonic clock.

    `from_ns` is when the agent was last heard, `found_ns` when the host took it for gone, `to_ns` when it had shaken hands
    again (None: it never did). `frames` were in flight, waiting or due in that time. `agent_changed` tells whether another
    process answered than before, None where nobody did.
    """

    from_ns: int
    found_ns: int
    to_ns: int | None
    reason: str
    frames: int
    agent_changed: bool | None

    @property
    def found_s(self) -> float:
        """The seconds from the last sign of life to being found."""
        return (self.found_ns - self.from_ns) / 1e9

    @property
    def lasted_s(self) -> float | None:
        """The seconds from the last sign of life to the new handshake; None where there was none."""
        return None if self.to_ns is None else (self.to_ns - self.from_ns) / 1e9

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Outage:
        """Reads what `to_dict` wrote; raises TypeError."""
        return cls(**values)

    def describe(self, start_ns: int) -> str:
        """Returns a phrase on it; `start_ns` is when the first frame of the run was due."""
        begin_s = (self.from_ns - start_ns) / 1e9
        back = "it never came back" if self.lasted_s is None else f"back after {self.lasted_s:.1f} s"
        who = ", as another process" if self.agent_changed else ""
        return f"at {begin_s:.1f} s {self.reason}, {back}{who}, {self.frames} frames without it"
