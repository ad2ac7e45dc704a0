"""A film is the endless row of frames that `generate` with the same words would number 0, 1, 2, ...; nothing is written.

Frame k is moment k % sequence of a view, and so on through views and scenes: a pure function of what the film says.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.capture import Capture
from sim.frame import Frame
from sim.sensors.profile import IDEAL, SensorProfile

# A film has no end and a data set has one: this one is beyond what anybody renders.
_SCENES = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What to render: `size` is (width, height); a capture of one frame is a row of stills.

    Raises DatasetError or UnknownNameError for values that make no sense; two eyes are no film.
    """

    suite: str
    split: str = "test"
    seed: int = 0
    size: tuple[int, int] = (640, 480)
    capture: Capture = field(default_factory=Capture)
    sensor: SensorProfile = IDEAL
    backend: str = "mujoco"

    def __post_init__(self) -> None:
        from scenes.errors import DatasetError

        if len(self.capture.eyes) > 1:
            raise DatasetError("A film has one eye: leave the stereo baseline out.")
        _spec(self)

    def facts(self) -> dict[str, Any]:
        """Returns what a report says of it, as plain JSON values; the same names as of a data set."""
        from sim.generate import manifest_of

        content = _spec(self).content()
        manifest = manifest_of(content, (), ())
        made = manifest.generator
        return {
            "suite": manifest.suite,
            "suite_version": manifest.suite_version,
            **({"suite_digest": manifest.suite_digest} if manifest.suite_digest else {}),
            "split": self.split,
            "seed": self.seed,
            "size": list(self.size),
            "sequence": self.capture.sequence,
            "motion": self.capture.motion if self.capture.sequence > 1 else "none",
            "camera_rate_hz": self.capture.rate_hz,
            "sensor": self.sensor.name,
            "generator": f"rehearse {made.rehearse}, {made.backend} {made.backend_version}",
        }


def play(film: Film) -> Iterator[Frame]:
    """Yields the frames from the first on, each made when it is asked for. Starts the simulator; close it to free that.

    Raises BackendError and SceneError.
    """
    from sim._frame_source import BackendSource

    spec = _spec(film)
    with closing(BackendSource(spec)) as source:
        for scene in itertools.count():
            source.scene(scene)
            numbers = spec.frames_of(scene)
            if spec.capture.plain:
                yield from (source.frame(view) for view in range(len(numbers)))
            else:
                yield from (view.frame for view in source.views(numbers))


def _spec(film: Film) -> Any:
    from scenes.suites import VIEWS_PER_SCENE
    from sim.generate import GenerateSpec

    return GenerateSpec(
        suite=film.suite, out=Path(), frames=_SCENES * VIEWS_PER_SCENE * film.capture.frames_per_view, split=film.split,
        seed=film.seed, size=film.size, backend=film.backend, capture=film.capture, sensor=film.sensor, stages=False,
        proof=False,
    )  # fmt: skip
