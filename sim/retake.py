"""One frame of a data set taken again, with the capture and the sensor that its manifest records; whatever came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenes.errors import DatasetError
from scenes.scene import Scene
from sim._frame_files import frame_files, view_files
from sim._recording import Recording
from sim.backend import Backend
from sim.capture import Capture
from sim.difficulty.clearance import clearances_m
from sim.frame import Frame
from sim.frame_id import FrameId
from sim.rebuild import rebuild_scene
from sim.sensors.apply import sense
from sim.sensors.profile import SensorProfile

if TYPE_CHECKING:
    from sim.dataset import Dataset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retake:
    """The recording that frame `number` of a data set is of, and where in it: camera `view`, moment `k`, eye."""

    recording: Recording
    number: int
    view: int
    k: int
    eye: int

    @classmethod
    def of(cls, backend: Backend, dataset: Dataset, position: int) -> Retake:
        """Makes the scene of `dataset[position]` again, at rest in the backend; raises SceneError or DatasetError."""
        manifest, entry = dataset.manifest, dataset.manifest.frames[position]
        scene = rebuild_scene(
            backend, FrameId.parse(entry.name), attempt=entry.attempt, assets=manifest.assets, views=manifest.views
        )
        try:
            sensor = SensorProfile.from_record(manifest.sensor)
        except (LookupError, TypeError, ValueError) as error:
            raise DatasetError(f"The sensor of {dataset.path} is not one that this Rehearse knows: {error}.") from error
        capture = Capture.from_dict(manifest.capture)
        recording = Recording.of(backend, scene, capture, manifest.size, sensor)
        for view in range(len(scene.cameras)):
            for k in range(capture.sequence):
                names = recording.names(view, k)
                if entry.name in names:
                    number = manifest.file_number(position)
                    return cls(recording=recording, number=number, view=view, k=k, eye=names.index(entry.name))
        raise DatasetError(f"Made again, scene {scene.id} has no camera that gives the frame {entry.name}.")

    @property
    def scene(self) -> Scene:
        """The settled scene, as its digest was taken."""
        return self.recording.scene

    def files(self) -> tuple[Frame, dict[str, bytes]]:
        """Returns the frame and every file that it has, by its path in the data set."""
        r = self.recording
        clearance_m = clearances_m(r.scene)
        if r.capture.plain:
            camera = r.scene.cameras[self.view].resized(*r.size)
            frame = sense(r.backend, r.scene, camera, r.sensor, name=r.names(self.view, self.k)[0])
            return frame, frame_files(frame, self.number, clearance_m)
        seen = r.one(self.view, self.k, self.eye, self.number // len(r.capture.eyes))
        return seen.frame, view_files(seen, r.capture, r.capture.eyes[self.eye], clearance_m)

    def truth_by(self, renderer: Backend) -> Frame:
        """Returns the frame as another backend has it, without what the sensor does to its picture."""
        r = self.recording
        renderer.load(r.scene_at(self.k))
        return renderer.render(r.camera(self.view, self.k, r.capture.eyes[self.eye]))
