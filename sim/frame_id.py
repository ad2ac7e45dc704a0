"""The name of a frame says all that it takes to make it again: suite, version, split, seed, index and camera."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenes.errors import SceneError, UnknownNameError
from scenes.suites import SUITES

_FORM = re.compile(r"(?P<suite>.+)-v(?P<version>\d+)/(?P<split>[^/]+)/seed(?P<seed>\d+)/(?P<index>\d+)(?:/(?P<camera>.+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameId:
    """What a frame is a function of, but for its size and its backend; without `camera` it names a whole scene."""

    suite: str
    version: int
    split: str
    seed: int
    index: int
    camera: str | None = None

    @classmethod
    def parse(cls, text: str) -> FrameId:
        """Reads a name such as tabletop-v1/test/seed0/000003/camera_0.

        Raises SceneError for another form and for a version that this Rehearse does not make, UnknownNameError for a
        suite that does not exist.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise SceneError(
                f"{text!r} is not the name of a frame: expected SUITE-vVERSION/SPLIT/seedSEED/INDEX/CAMERA, "
                "such as tabletop-v1/test/seed0/000003/camera_0."
            )
        suite, version = found["suite"], int(found["version"])
        if suite not in SUITES:
            raise UnknownNameError("suite", suite, SUITES)
        if version != SUITES[suite].version:
            raise SceneError(
                f"{text!r} is of version {version} of the suite {suite}, this Rehearse makes version "
                f"{SUITES[suite].version}: use the Rehearse that made it."
            )
        return cls(
            suite=suite,
            version=version,
            split=found["split"],
            seed=int(found["seed"]),
            index=int(found["index"]),
            camera=found["camera"],
        )
