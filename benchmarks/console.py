"""What a command prints: figures on stdout, as text for people or JSON for programs; progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def print_json(values: Any) -> None:
    """Prints JSON on stdout; raises ValueError for a number that JSON has no word for."""
    print(json.dumps(values, indent=2, allow_nan=False))


def print_summary(values: dict[str, Any], *, as_json: bool) -> None:
    """Prints what a command did, as JSON or as rows."""
    print_json(values) if as_json else print_rows(values)


def print_rows(values: dict[str, Any]) -> None:
    """Prints one `name  value` row per entry."""
    print_table([(key.replace("_", " "), _plain(value)) for key, value in values.items()])


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Prints rows of text in aligned columns."""
    for line in text_table(rows):
        print(line)


def text_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns a line per row of text, in aligned columns."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def print_count(done: int, total: int) -> None:
    """Prints how many frames are done, on stderr; in a log only every 25th."""
    end = "\n" if done == total else ""
    if sys.stderr.isatty() or done == total or done % 25 == 0:
        print(f"\r  {done}/{total} frames", end=end or ("" if sys.stderr.isatty() else "\n"), file=sys.stderr, flush=True)


def say(line: str) -> None:
    """Prints one line of progress on stderr."""
    print(line, file=sys.stderr, flush=True)
