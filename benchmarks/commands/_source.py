"""The words of `rehearse hil` that say where frames come from, as a source, and as words again for repeated runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenes.errors import RehearseError

if TYPE_CHECKING:
    from benchmarks.sources import Source

_OF_FILMS = ("ahead", "clip", "split", "seed", "size", "sequence", "motion", "sensor")
_DEFAULTS: dict[str, Any] = {
    "ahead": 2.0, "clip": None, "split": "test", "seed": 0, "size": (640, 480), "sequence": 30, "motion": "both",
    "sensor": "ideal",
}  # fmt: skip


def source_of(arguments: argparse.Namespace) -> Source:
    """Returns the data set's folder, or the film of a suite; raises RehearseError for options of a film without one."""
    given = {name: value for name in _OF_FILMS if (value := getattr(arguments, name)) is not None}
    if not arguments.live and "clip" not in given:
        if given:
            raise RehearseError(f"{', '.join(f'--{name}' for name in given)}: these belong to --live or --clip SECONDS.")
        return Path(arguments.dataset)
    if arguments.live and "clip" in given:
        raise RehearseError("--live shows every frame once and --clip SECONDS plays some again and again: give one of them.")
    from benchmarks.sources import Rendered
    from sim.capture import Capture
    from sim.film import Film
    from sim.sensors.library import load_profile

    chosen = _DEFAULTS | given
    film = Film(
        suite=arguments.dataset, split=chosen["split"], seed=chosen["seed"], size=chosen["size"],
        capture=Capture(sequence=chosen["sequence"], rate_hz=arguments.rate, motion=chosen["motion"]),
        sensor=load_profile(chosen["sensor"]),
    )  # fmt: skip
    return Rendered(film=film, ahead_s=chosen["ahead"], clip_s=chosen["clip"])


def source_words(arguments: argparse.Namespace) -> list[str]:
    """Returns the same words again."""
    words = [arguments.dataset, *(["--live"] if arguments.live else [])]
    for name in _OF_FILMS:
        value = getattr(arguments, name)
        if value is not None:
            words.append(f"--{name}={'x'.join(map(str, value)) if name == 'size' else value}")
    return words
