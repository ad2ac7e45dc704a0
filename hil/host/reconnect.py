"""While the agent is gone, the host knocks ten times a second, and takes back only one that runs the same engine.

A new handshake is a new session: whatever the old one left on the way is refused by both ends, so nothing stale is
computed or counted. The new HELLO names the session that it follows, so that the agent's lease does not stand in its way.
"""

from __future__ import annotations

import time
from typing import Any

from hil.host.client import Client
from hil.link.protocol import Kind, Message, printable
from hil.outage import Outage

# How long a run waits for its agent; then it ends.
RECONNECT_S = 10.0
KNOCK_EVERY_S = 0.1
# A connection that was begun while the way was cut would wait for seconds after it is mended.
_REDIAL_EVERY_S = 1.0
# What must not change in a run: another engine, or the same one with other settings, is another measurement.
_ENGINE = ("name", "digest", "network", "input_size", "categories", "settings", "emulates")


class Reconnection:
    """The outages of one run; at most one is open, and while it is, `gone` is true. Used by the thread of the run alone."""

    def __init__(self, client: Client, *, give_up_s: float) -> None:
        self.gone = False
        self.agent_changed = False
        self._client, self._give_up_s = client, give_up_s
        self._closed: list[Outage] = []
        self._from_ns = self._found_ns = self._dialled_ns = self._frames = 0
        self._reason = self._refusal = ""

    @property
    def outages(self) -> tuple[dict[str, Any], ...]:
        """All outages so far as plain values, the open one too."""
        every = [*self._closed, self._close(to_ns=None)] if self.gone else self._closed
        return tuple(outage.to_dict() for outage in every)

    def begin(self, reason: str, *, heard_ns: int, found_ns: int) -> None:
        """Opens an outage; `reason` is a phrase on the agent, "it fell silent"."""
        self.gone = True
        self._from_ns, self._found_ns, self._dialled_ns, self._reason = heard_ns, found_ns, found_ns, reason
        self._frames, self._refusal = 0, ""
        self._client.begin_session()
        self._client.knock()

    def count(self) -> None:
        """Counts a frame that the outage took."""
        self._frames += 1

    def knock(self, now_ns: int) -> str | None:
        """Sends a HELLO without waiting; returns why the run ends, where the agent stayed away for too long."""
        if now_ns - self._found_ns > self._give_up_s * 1e9:
            return self.fault(f"did not come back within {self._give_up_s:g} s")
        if now_ns - self._dialled_ns > _REDIAL_EVERY_S * 1e9:
            self._client.reconnect()
            self._dialled_ns = now_ns
        self._client.knock()
        return None

    def take(self, message: Message) -> str | None:
        """Takes a message that came during the outage: a WELCOME ends it. Returns why the run ends, if it has to."""
        if message.kind is Kind.ERROR:
            self._refusal = f"; it answered: {printable(message.meta.get('reason'))}"
        elif message.kind is Kind.WELCOME:
            return self._welcome(message.meta)
        return None

    def fault(self, ending: str) -> str:
        """Returns the sentence of a run that the open outage ended."""
        return f"The agent at {self._client.device} was lost: {self._reason}, and it {ending}{self._refusal}."

    def _welcome(self, facts: dict[str, Any]) -> str | None:
        before = self._client.facts
        if _engine(facts) != _engine(before):
            return self.fault("came back with another engine, which would be another measurement")
        self.agent_changed = facts.get("instance") != before.get("instance")
        self._closed.append(self._close(to_ns=time.monotonic_ns()))
        self._client.facts, self.gone = facts, False
        self._client.settle()
        return None

    def _close(self, *, to_ns: int | None) -> Outage:
        return Outage(
            from_ns=self._from_ns, found_ns=self._found_ns, to_ns=to_ns, reason=self._reason, frames=self._frames,
            agent_changed=None if to_ns is None else self.agent_changed,
        )  # fmt: skip


def _engine(facts: dict[str, Any]) -> Any:
    engine = facts.get("engine")
    return [engine.get(key) for key in _ENGINE] if isinstance(engine, dict) else engine
