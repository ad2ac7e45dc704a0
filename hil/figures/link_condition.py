"""What a run's counters say of its link: a sound one loses, damages and repeats nothing."""

from __future__ import annotations

from hil.session import Session

_LOST = ("lost_on_the_way",)
_DAMAGED = ("protocol_errors", "agent_protocol_errors")
_AGAIN = ("stale_answers", "agent_duplicates", "agent_stale")


def link_mark(session: Session) -> str | None:
    """Returns the mark LINK with what went wrong on the way; None for a sound link."""
    said = {
        "lost": sum(session.counters.get(name, 0) for name in _LOST),
        "damaged or foreign": sum(session.counters.get(name, 0) for name in _DAMAGED),
        "late or twice": sum(session.counters.get(name, 0) for name in _AGAIN),
    }
    found = ", ".join(f"{count} {what}" for what, count in said.items() if count)
    return f"LINK: messages on the way: {found}." if found else None
