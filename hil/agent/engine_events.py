"""What an agent says of its engine's failures and recoveries is checked, bounded and put together by the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEPT = 64
_MAX_WHY = 200


def checked_events(value: object) -> list[dict[str, Any]]:
    """Returns the events of a peer: at_ns on its clock, what (`failed` or `ready`), why; what is no event is left out."""
    return [_event(v) for v in value[:KEPT] if _is_event(v)] if isinstance(value, list) else []


def merged(known: Sequence[Mapping[str, Any]], told: object) -> list[dict[str, Any]]:
    """Returns the events known so far with those of the next PONG, which repeats the latest; the first `KEPT` of all."""
    found = {event["at_ns"]: dict(event) for event in (*known, *checked_events(told))}
    return [found[at_ns] for at_ns in sorted(found)][:KEPT]


def restarts(events: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns how often the engine failed in a run and why, in words; None where it never did."""
    failed = [event["why"] for event in events if event["what"] == "failed"]
    if not failed:
        return None
    times = "once" if len(failed) == 1 else f"{len(failed)} times"
    return f"the engine failed {times} and was started again: {'; '.join(dict.fromkeys(failed))}"


def _is_event(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return type(value.get("at_ns")) is int and value.get("what") in ("failed", "ready") and type(value.get("why")) is str


def _event(value: Mapping[str, Any]) -> dict[str, Any]:
    return {"at_ns": value["at_ns"], "what": value["what"], "why": value["why"][:_MAX_WHY]}
