"""Events on the page: a letter and a band each on the timeline, and a table of when, what and why below it."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from benchmarks._charts import Flag
from benchmarks._events import Event
from benchmarks._page import table

_LETTERS = ascii_uppercase + ascii_lowercase


def flags_of(events: Sequence[Event]) -> list[Flag]:
    """Returns the marks of the events whose time is known."""
    return [
        Flag(letter=letter, at_s=event.at_s, until_s=event.until_s, kind=event.kind, said=f"{event.name}, {event.said}")
        for letter, event in zip(_LETTERS, events, strict=False)
        if event.at_s is not None
    ]


def event_table(events: Sequence[Event], more: int) -> str:
    """Returns the table; nothing where nothing happened. `more` events are not in it."""
    if not events:
        return ""
    caption = f"Events, by the letters above{f'; {more} shorter stretches of misses are left out' if more else ''}."
    rows = [(letter, _when(event), event.name, event.said) for letter, event in zip(_LETTERS, events, strict=False)]
    return table(("", "when", "what", "in words"), rows, caption=caption, words=True)


def _when(event: Event) -> str:
    if event.at_s is None:
        return "not known: the device has another clock"
    if event.until_s is None or event.until_s - event.at_s < 0.05:
        return f"{event.at_s:.1f} s" + (", in the warm-up" if event.at_s < 0 else "")
    return f"{event.at_s:.1f} to {event.until_s:.1f} s"
