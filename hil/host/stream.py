"""Frames leave on an absolute schedule whether or not the last answer came, and each gets exactly one outcome.

Frame i is due at T0 + i / rate on the host's monotonic clock. A due frame is handed to a one-slot mailbox and leaves it at once
while none is in flight; otherwise it waits until the engine is about to be free (`hil.host.release`), with at most `credit` in
flight, and the next due frame replaces it (dropped).
One thread sends and receives: it sleeps in select() until the next due time or the next answer, to the microsecond.
The camera comes first: an answer whose decoding would run into the next due time waits until that frame is handed over.
"""

from __future__ import annotations

import select
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Literal

from hil.agent.engine_events import merged
from hil.agent.telemetry import checked_sample
from hil.host.answers import Answers
from hil.host.client import Client
from hil.host.images import Images
from hil.host.ledger import Closed, Entry, Ledger
from hil.host.owed import Unowed
from hil.host.reconnect import KNOCK_EVERY_S, RECONNECT_S, Reconnection
from hil.host.release import Release
from hil.host.warm_up import WarmUp
from hil.link.answer import open_answer
from hil.link.packer import checked_packing
from hil.link.protocol import Kind, Message, ProtocolError
from hil.progress import Progress
from scenes.taxonomy import TAXONOMY

# From the last sign of life to taking the agent for gone: found within a second.
SILENCE_S = 0.9
LOST_AFTER_S = 5.0
PING_EVERY_S = 0.2
_LEAD_S = 0.05
# A sleep ends late by some tenths of a millisecond, so the last of them are waited for by looking at the clock.
_SPIN_NS = 400_000
_OVERDUE_NS = _SPIN_NS + 1_000_000
_DECODES_KEPT = 20
# What a hostile agent may make a run remember.
_MOST_COUNTERS = 48
_MOST_NAME = 48
# However long decoding takes, an answer waits for the camera no longer than this share of a period.
_LONGEST_WAIT_PERIODS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answer:
    """An answer that came and is not decoded yet."""

    entry: Entry
    message: Message
    host_receive_ns: int


class Stream:
    """One run over an open link: the schedule starts when it is made, `loop` plays it to its end.

    `waits` says that its frames wait for the engine, so that what it measures is no session of a camera yet.
    """

    waits = False

    def __init__(
        self,
        client: Client,
        images: Images,
        rate_hz: float,
        rule: WarmUp,
        measured: int,
        deadline_s: float,
        credit: int,
        closed: Closed | None = None,
        reconnect_s: float = RECONNECT_S,
    ) -> None:
        start_ns = time.monotonic_ns() + round(_LEAD_S * 1e9)
        self.ledger = Ledger(
            start_ns=start_ns, rate_hz=rate_hz, rule=rule, measured=measured, images=len(images), closed=closed
        )
        self.fault: str | None = None
        self.answers = Answers()
        self.telemetry: list[dict[str, Any]] = []
        self.engine_events: list[dict[str, Any]] = []
        self.packing: dict[str, Any] = {}
        self.counters = {"stale_answers": 0, "protocol_errors": 0, "lost_on_the_way": 0}
        self._client, self._images, self._credit = client, images, credit
        self._deadline_ns = round(deadline_s * 1e9)
        self._longest_wait_ns = round(_LONGEST_WAIT_PERIODS * 1e9 / rate_hz)
        self._in_flight: dict[int, Entry] = {}
        self._mailbox: Entry | None = None
        self._undecoded: deque[_Answer] = deque()
        self._decode_ns: deque[int] = deque(maxlen=_DECODES_KEPT)
        self._reconnection = Reconnection(client, give_up_s=reconnect_s)
        self._unowed = Unowed()
        self._release = Release()
        self._before: dict[str, int] = {}
        self._silent_ns = 0
        self._looked_ns = self._heard_ns = self._next_ping_ns = time.monotonic_ns()

    @property
    def outages(self) -> tuple[dict[str, Any], ...]:
        """The times without the agent, as `hil.outage` writes them."""
        return self._reconnection.outages

    def progress(self) -> Progress:
        """Returns the counts so far; safe to call from another thread."""
        return replace(
            self.ledger.progress(time.monotonic_ns()), in_flight=len(self._in_flight), waiting=int(self._mailbox is not None),
            sample=self.telemetry[-1] if self.telemetry else {}, counters=dict(self.counters),
        )  # fmt: skip

    def loop(self) -> None:
        """Sends and receives until every frame has its outcome or the agent is gone; `fault` then says how."""
        entries = self.ledger.entries
        while self.fault is None and not self._finished():
            now_ns = time.monotonic_ns()
            if self._is_due(now_ns):
                self._hand_over(entries[self.ledger.handed_over], now_ns)
                self._decode_all()
                continue
            if (message := self._client.receive()) is not None:
                self._take(message, time.monotonic_ns())
                continue
            if self._undecoded and self._decoding_fits(now_ns):
                self._decode_all()
                continue
            self._keep_alive(now_ns)
            if (wait_s := self._wait_s()) > 0 and self.fault is None:
                select.select([self._client.fileno()], [], [], wait_s)
        self._decode_all()
        if self._reconnection.gone and self.fault is None:
            self.fault = self._reconnection.fault("was still gone when the run ended")
        self.counters["protocol_errors"] += self._client.protocol_errors
        self.counters["stale_answers"] += self._client.stale
        self.ledger.close_open(self.fault or f"no answer within {LOST_AFTER_S:g} s")

    def count_agent(self, timeout_s: float = 0.3) -> None:
        """Asks the agent for its final counts; an agent that is gone leaves the last ones it sent."""
        deadline, last = time.monotonic() + timeout_s, time.monotonic_ns()
        self._client.ping(seq=last)
        while self.fault is None and (wait_s := deadline - time.monotonic()) > 0:
            if (message := self._client.receive()) is None:
                select.select([self._client.fileno()], [], [], wait_s)
            elif message.kind is Kind.PONG:
                self._count(message)
                if message.seq == last:
                    return

    def _is_due(self, now_ns: int) -> bool:
        """Whether the next frame has to leave now; one that its camera does not have yet leaves late."""
        at = self.ledger.handed_over
        if at == len(self.ledger.entries) or now_ns < self.ledger.entries[at].due_ns:
            return False
        self.fault = self.fault or self._images.fault
        return self.fault is None and self._images.ready(self.ledger.entries[at].image)

    def _finished(self) -> bool:
        all_due = self.ledger.handed_over == len(self.ledger.entries)
        return all_due and self._mailbox is None and not self._in_flight and not self._undecoded

    def _wait_s(self) -> float:
        """Returns the seconds until something has to be done though nothing came. Called right before select, so it
        looks at the socket once more: the descriptor only tells of changes, and sending may have consumed one.
        """
        times = [self._next_ping_ns, self._looked_ns + round(SILENCE_S * 1e9) - self._silent_ns]
        if self._reconnection.gone:
            times.pop()
        if self.ledger.handed_over < len(self.ledger.entries):
            times.append(self.ledger.entries[self.ledger.handed_over].due_ns - _SPIN_NS)
        now_ns = time.monotonic_ns()
        if self._mailbox is not None and 0 < len(self._in_flight) < self._credit:
            times.insert(0, max(self._release_ns(), now_ns + _SPIN_NS))  # it may be due and the link not take it
        if times[-1] + _OVERDUE_NS < now_ns:  # its camera does not have it yet, and needs the processor more than we do
            times[-1] = now_ns + _SPIN_NS
        return 0.0 if self._client.readable() else max(min(times) - now_ns, 0) / 1e9

    def _hand_over(self, entry: Entry, now_ns: int) -> None:
        self.ledger.captured(entry, now_ns)
        if self._reconnection.gone:
            self._lose(entry, "lost", "the agent was gone when it was due")
            return
        if self._mailbox is not None:
            self.ledger.missed(self._mailbox, "dropped", "a newer frame replaced it while all credit was in flight")
        self._mailbox = entry
        self._flush()

    def _flush(self) -> None:
        entry, flying = self._mailbox, len(self._in_flight)
        if entry is None or flying >= self._credit:
            return
        now_ns = time.monotonic_ns()
        if flying and now_ns < self._release_ns():
            return
        if self._client.send_frame(self._images.body(entry.image), seq=entry.seq, due_ns=entry.due_ns):
            self.ledger.sent(entry, now_ns)
            self._in_flight[entry.seq] = entry
            self._mailbox = None

    def _release_ns(self) -> int:
        """Returns when the frame in the mailbox is to leave while others are in flight."""
        return self._release.at_ns(min(e.stamps["send_ns"] for e in self._in_flight.values()), len(self._in_flight))

    def _take(self, message: Message, now_ns: int) -> None:
        heard_ns, self._heard_ns = self._heard_ns, now_ns
        self._silent_ns, self._looked_ns = 0, now_ns
        if self._reconnection.gone:
            self._take_back(message)
        elif message.kind is Kind.PONG:
            self._count(message)
            self._find_lost(message)
        elif message.kind is Kind.BYE:
            self.fault = f"The agent at {self._client.device} was stopped during the run{_because(message)}."
        elif message.kind is Kind.ERROR and message.meta.get("code") == "no_lease":
            self._begin_outage("it knew this session no more", heard_ns, now_ns)
        elif message.kind in (Kind.RESULT, Kind.ERROR):
            if message.meta.get("code") == "duplicate" or message.seq not in self._in_flight:
                self.counters["stale_answers"] += 1
                return
            entry = self._in_flight.pop(message.seq)
            self._release.answered(now_ns)
            # The waiting frame leaves before the answer is decoded: the engine need not wait for the host.
            self._flush()
            self._undecoded.append(_Answer(entry=entry, message=message, host_receive_ns=now_ns))

    def _decoding_fits(self, now_ns: int) -> bool:
        """Whether an answer can be decoded before the next frame is due, at nine of ten recent durations, outliers left out."""
        if self.ledger.handed_over == len(self.ledger.entries):
            return True
        next_due_ns = self.ledger.entries[self.ledger.handed_over].due_ns
        expected_ns = sorted(self._decode_ns)[int(0.9 * len(self._decode_ns))] if self._decode_ns else 0
        return now_ns + min(expected_ns, self._longest_wait_ns) < next_due_ns

    def _decode_all(self) -> None:
        while self._undecoded:
            self._decode(self._undecoded.popleft())

    def _decode(self, answer: _Answer) -> None:
        entry, message = answer.entry, answer.message
        if message.kind is Kind.ERROR:
            code, reason = message.meta.get("code"), str(message.meta.get("reason"))
            self.ledger.missed(entry, code if code in ("dropped", "rejected") else "error", reason)
            return
        start_ns = time.monotonic_ns()
        try:
            size = self._images.size(entry.image)
            prediction, stamps = open_answer(message, size=size, categories=len(TAXONOMY))
        except ProtocolError as error:
            self.counters["protocol_errors"] += 1
            self.ledger.missed(entry, "error", str(error))
            return
        return_ns = time.monotonic_ns()
        stamps = {f"agent_{name}": value for name, value in stamps.items()}
        stamps |= {"host_receive_ns": answer.host_receive_ns, "return_ns": return_ns}
        prediction = self.answers.keep(entry.seq, entry.image, prediction)
        self.ledger.answered(entry, stamps, self._deadline_ns, prediction)
        self._release.learn(entry.stamps)
        self._decode_ns.append(time.monotonic_ns() - start_ns)

    def _keep_alive(self, now_ns: int) -> None:
        # A host that stalls hears nothing either: no single look counts for more than two pings of silence.
        self._silent_ns += min(now_ns - self._looked_ns, round(2 * PING_EVERY_S * 1e9))
        self._looked_ns = now_ns
        if self._reconnection.gone:
            self._knock(now_ns)
            return
        if self._silent_ns >= SILENCE_S * 1e9:
            self._begin_outage(f"it fell silent for {SILENCE_S:g} s", self._heard_ns, now_ns)
            return
        if now_ns >= self._next_ping_ns:
            self._client.ping(seq=now_ns)
            self._next_ping_ns = now_ns + round(PING_EVERY_S * 1e9)
            self._give_up_old(now_ns)
        self._flush()

    def _begin_outage(self, reason: str, heard_ns: int, now_ns: int) -> None:
        self._decode_all()
        self._reconnection.begin(reason, heard_ns=heard_ns, found_ns=now_ns)
        self._next_ping_ns = now_ns + round(KNOCK_EVERY_S * 1e9)
        for entry in self._in_flight.values():
            self._lose(entry, "lost", "the agent was gone before it answered")
        self._in_flight.clear()
        if self._mailbox is not None:
            self._lose(self._mailbox, "dropped", "the agent was gone before it could leave")
            self._mailbox = None

    def _lose(self, entry: Entry, outcome: Literal["lost", "dropped"], reason: str) -> None:
        self.ledger.missed(entry, outcome, reason)
        self._reconnection.count()

    def _knock(self, now_ns: int) -> None:
        if now_ns >= self._next_ping_ns:
            self.fault = self._reconnection.knock(now_ns)
            self._next_ping_ns = now_ns + round(KNOCK_EVERY_S * 1e9)

    def _take_back(self, message: Message) -> None:
        self.fault = self._reconnection.take(message)
        if self._reconnection.agent_changed and not self._reconnection.gone:
            # Another process counts from zero: what the one before had counted stays in the sum.
            self._before = {k: v for k, v in self.counters.items() if k.startswith("agent_")}

    def _find_lost(self, message: Message) -> None:
        for seq in self._unowed.lost(message, {s: e.stamps["send_ns"] for s, e in self._in_flight.items()}):
            self.ledger.missed(self._in_flight.pop(seq), "lost", "the agent neither has it nor answered it")
            self.counters["lost_on_the_way"] += 1

    def _give_up_old(self, now_ns: int) -> None:
        for entry in list(self._in_flight.values()):
            if now_ns - entry.stamps["send_ns"] > LOST_AFTER_S * 1e9:
                del self._in_flight[entry.seq]
                self.ledger.missed(entry, "lost", f"no answer within {LOST_AFTER_S:g} s")

    def _count(self, message: Message) -> None:
        sample = checked_sample(message.meta.get("telemetry"))
        if sample is not None and (not self.telemetry or sample["at_ns"] > self.telemetry[-1]["at_ns"]):
            self.telemetry.append(sample)
        self.engine_events = merged(self.engine_events, message.meta.get("events"))
        self.packing = checked_packing(message.meta.get("packing")) or self.packing
        counters = message.meta.get("counters")
        if isinstance(counters, dict):
            for name, value in counters.items():
                known = f"agent_{name}"[:_MOST_NAME]
                if type(value) is int and (known in self.counters or len(self.counters) < _MOST_COUNTERS):
                    self.counters[known] = self._before.get(known, 0) + value


def _because(bye: Message) -> str:
    """Returns the agent's reason for its BYE; one that the user stopped has none."""
    reason = bye.meta.get("reason")
    return f": {reason[:300].rstrip('.')}" if isinstance(reason, str) else ""

