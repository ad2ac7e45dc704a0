"""The image against paper: neither black nor of one colour, and each thing painted as it is where its label says it is."""

from __future__ import annotations

import numpy as np

from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Expected
from sim.selftest.verdict import Outcome

_DARK, _BRIGHT, _LEAST_SPREAD = 8.0, 250.0, 5.0
_CHANNELS = ("red", "green", "blue")


def exposure(seen: Evidence, expected: Expected) -> Outcome:
    """What is lit is neither black nor burnt out, and the image is not of one colour."""
    rgb = seen.frame.rgb.astype(np.float64)
    mean, spread = float(rgb[expected.shown >= 0].mean()), float(rgb.std())
    return Outcome(
        expected="bodies neither black nor white, image not constant",
        got=f"mean {mean:.0f} of 255 on the bodies, spread {spread:.0f}",
        tolerance=f"mean {_DARK:g} to {_BRIGHT:g}, spread above {_LEAST_SPREAD:g}",
        holds=_DARK < mean < _BRIGHT and spread > _LEAST_SPREAD,
    )


def colours(seen: Evidence, expected: Expected) -> Outcome:
    """Red things are red where they should be: the image is not flipped, shifted or stale against its labels."""
    wrong, checked = [], 0
    for name in expected.things:
        inside = expected.inside(name)
        if not inside.any():
            continue
        checked += 1
        mean = seen.frame.rgb[inside].mean(axis=0)
        known, found = int(np.argmax(expected.solids[name].colour)), int(np.argmax(mean))
        if known != found or mean[known] < 1.3 * np.sort(mean)[1]:
            shown = ", ".join(f"{v:.0f}" for v in mean)
            wrong.append(f"{name} is ({shown}), not {_CHANNELS[known]}")
    told = "; ".join(wrong[:3]) + (f"; and {len(wrong) - 3} more" if len(wrong) > 3 else "")
    got = told or f"{checked} of {checked}"
    return Outcome(expected="each thing in its own colour", got=got, holds=not wrong and checked > 0)
