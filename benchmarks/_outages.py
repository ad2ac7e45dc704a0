"""The times of a run without its agent, as a table; nothing where it was always there."""

from __future__ import annotations

from benchmarks._page import card, table
from hil.outage import Outage
from hil.session import Session


def outage_cards(session: Session) -> list[str]:
    """Returns one card with a row for each outage, or none."""
    if not session.outages:
        return []
    start_ns = session.frames[0].due_ns
    rows = [_row(Outage.from_dict(values), start_ns) for values in session.outages]
    heads = ("last heard, s", "found after, s", "back after, s", "what was seen", "frames without it", "then")
    return [card("Times without the agent", table(heads, rows))]


def _row(outage: Outage, start_ns: int) -> tuple[object, ...]:
    back = "never" if outage.lasted_s is None else f"{outage.lasted_s:.2f}"
    then = {None: "-", True: "another process", False: "the same process"}[outage.agent_changed]
    begin_s = (outage.from_ns - start_ns) / 1e9
    return f"{begin_s:.2f}", f"{outage.found_s:.2f}", back, outage.reason, outage.frames, then
