"""What may stand in an argument: numbers in their ranges, names, sizes; anything else is one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Literal


def share(text: str) -> float:
    """Returns a number between 0 and 1."""
    value = positive(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"expected a probability below 1 such as 0.99, got {text!r}")
    return value


def whole(least: int) -> Callable[[str], int]:
    """Returns a parser of whole numbers from `least` on."""
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return parse


def positive(text: str) -> float:
    """Returns a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def deadline(text: str) -> float | Literal["period"]:
    """Returns a number of ms above 0, or `period`."""
    try:
        return "period" if text == "period" else positive(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"expected milliseconds above 0, or period, got {text!r}") from None


def names(text: str) -> tuple[str, ...]:
    """Returns the names of a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def size(text: str) -> tuple[int, int]:
    """Returns width and height of a text such as 640x480."""
    width, cross, height = text.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, such as 640x480, got {text!r}")
    return int(width), int(height)
