"""The bench on which a backend lies: its views are rendered once, the stage is loaded again where a check put another one on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scenes.camera import Camera
from scenes.transforms import Pose
from sim.backend import Backend
from sim.selftest.evidence import Evidence, look
from sim.selftest.oracle import Expected, expect
from sim.selftest.stage import Stage, calibration_stage

Open = Callable[[str], Backend]

# What a backend of ours is not made for; a backend may say so itself by a mapping `lacks` of the same words.
_LACKS: Mapping[str, Mapping[str, str]] = {
    "raycast": {
        "photograph": "the ray caster draws categories, no photograph",
        "physics": "rays know no physics",
        "process": "it is one array computation per frame, which holds nothing between frames",
    }
}


class Bench:
    """A backend under test, the calibration stage on it, and what was seen and is expected of each view."""

    def __init__(self, backend: Backend, *, open_reference: Open, quick: bool = False, out: Path | None = None) -> None:
        self.backend = backend
        self.quick = quick
        self.out = out
        self.open_reference = open_reference
        self.stage = calibration_stage()
        self.memo: dict[str, Any] = {}  # what two checks share
        self._on: Stage | None = None
        self._poses: dict[str, Pose] = {}
        self._seen: dict[str, Evidence] = {}
        self._expected: dict[str, Expected] = {}

    def rng(self) -> np.random.Generator:
        """Returns a new stream of this self-test's own, the same each time."""
        return np.random.default_rng(20_26)

    def lacks(self, needs: str) -> str:
        """Returns why the backend has no such ability, empty where it has."""
        own: Mapping[str, str] = getattr(self.backend, "lacks", {})
        return own.get(needs, "") or _LACKS.get(self.backend.name, {}).get(needs, "")

    def put_on(self, stage: Stage) -> None:
        """Loads a stage, unless the backend holds it as it was made."""
        if self._on is not stage or self._poses:
            self._on = None
            self.backend.load(stage.scene)
            self._on, self._poses = stage, {}

    def taken_off(self) -> None:
        """Says that the backend now holds something else."""
        self._on = None

    def moved(self, poses: Mapping[str, Pose]) -> None:
        """Says that the backend itself has moved solids of the stage that is on."""
        self._poses |= dict(poses)

    def place(self, poses: Mapping[str, Pose]) -> None:
        """Moves dynamic solids of the stage that is on; a backend that cannot place loads the moved scene instead."""
        stage = self._on or self.stage
        self._poses |= dict(poses)
        if hasattr(self.backend, "place"):
            self.backend.place(poses)
        else:
            self.backend.load(stage.scene.with_poses(self._poses))

    def look(self, camera: Camera, *, before: Evidence | None = None) -> Evidence:
        """Renders a view of the stage that is on, as its bodies stand."""
        stage = self._on or self.stage
        return look(self.backend, stage.scene.with_poses(self._poses), camera, before=before)

    def expect(self, camera: Camera) -> Expected:
        """Returns what that view of the stage that is on must show."""
        return expect(self._on or self.stage, camera, self._poses)

    def seen(self, view: str) -> Evidence:
        """Returns a view of the calibration stage, rendered the first time that it is asked for."""
        if view not in self._seen:
            self.put_on(self.stage)
            self._seen[view] = self.look(self.stage.camera(view))
        return self._seen[view]

    def rendered(self) -> Mapping[str, Evidence]:
        """Returns the views of the calibration stage that were rendered so far."""
        return dict(self._seen)

    def expected(self, view: str) -> Expected:
        """Returns the paper's answer for a view of the calibration stage."""
        if view not in self._expected:
            self._expected[view] = expect(self.stage, self.stage.camera(view))
        return self._expected[view]

    def camera(self, view: str, *, width: int | None = None) -> Camera:
        """Returns a view's camera, with a smaller image where a width is given."""
        camera = self.stage.camera(view)
        return camera if width is None else camera.resized(width, width * camera.height // camera.width)


def moved_by(pose: Pose, by_m: tuple[float, float, float]) -> Pose:
    """Returns the pose moved along the outer axes."""
    x, y, z = (a + b for a, b in zip(pose.position_m, by_m, strict=True))
    return replace(pose, position_m=(x, y, z))
