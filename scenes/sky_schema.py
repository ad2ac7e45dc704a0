"""The parameters of a sky that suites of every kind have."""

from __future__ import annotations

from scenes.description import Parameter, number

LEAST_TURBIDITY, MOST_TURBIDITY = 2.0, 10.0


def sky_parameters() -> tuple[Parameter, ...]:
    """Returns turbidity and clouds."""
    return (
        number("sky.turbidity", LEAST_TURBIDITY, MOST_TURBIDITY, "haze of a clear or dusk sky: 2 clear, 10 hazy"),
        number("sky.clouds", 0, 1, "share of a clear or dusk sky that clouds cover"),
    )
