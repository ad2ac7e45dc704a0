"""MuJoCo in a process of its own, so that neither its OpenGL nor its OpenUSD meets Isaac Sim's, nor its version Isaac's pin.

`python -m sim.isaac.settler` takes one request after another, pickled, and answers each, until its input ends. It may run on
another Python than Isaac Sim's, in which this very checkout is installed with its extra [sim].
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import scenes
from scenes.camera import Camera
from scenes.errors import BackendError, RehearseError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.backend import SettleReport, SettleRule, open_backend
from sim.frame import Frame
from sim.layers import Layers

# Pickle is spoken only between this process and the child that it started: both ends are ours.
_LEAST_MUJOCO = 4
PYTHON_VARIABLE = "REHEARSE_SETTLER"
_ELSEWHERE = (
    f"name a Python that has it by --isaac settler=PYTHON or {PYTHON_VARIABLE}=PYTHON, or settle with PhysX "
    "(--isaac physics=physx)"
)


class MujocoProcess:
    """One process that holds MuJoCo; it starts when it is first asked and ends with this one."""

    def __init__(self, python: str | None = None, *, environment: Mapping[str, str] | None = None) -> None:
        """Starts nothing; `python` None is that of REHEARSE_SETTLER, else this one.

        `environment` is the child's, as it was before Kit changed ours.
        """
        self._python = python or os.environ.get(PYTHON_VARIABLE) or sys.executable
        self._environment = None if environment is None else dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, verb: str, *rest: Any) -> Any:
        """Returns the answer to a request; raises what the child raises, BackendError where it cannot start or ends."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump((verb, *rest), process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            done, answer = pickle.load(process.stdout)  # noqa: S301
        except (OSError, EOFError) as error:
            status = process.wait(timeout=30)
            self.close()
            raise BackendError(
                f"The process that settles scenes with MuJoCo ended with status {status}: {self._python} needs this checkout "
                f"with its extra [sim]; {_ELSEWHERE}."
            ) from error
        if not done:
            raise answer
        return answer

    def close(self) -> None:
        """Ends the process; may be called twice."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):  # of a process that is gone
                        stream.close()
            process.wait(timeout=30)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    [self._python, "-m", "sim.isaac.settler"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    env=self._environment, cwd=Path(scenes.__file__).parent.parent,
                )  # fmt: skip
            except OSError as error:
                raise BackendError(f"There is no Python at {self._python} to settle scenes with: {error.strerror}.") from error
        return self._process


class SettlerProcess:
    """Settles and plays scenes by MuJoCo elsewhere, each request by itself."""

    def __init__(
        self, rule: SettleRule | None = None, *, python: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Starts nothing; see MujocoProcess."""
        self._rule = rule or SettleRule()
        self._process = MujocoProcess(python, environment=environment)

    def settle(self, scene: Scene) -> SettleReport:
        """Returns how the scene settles; raises what MuJoCo raises."""
        self._process.ask("load", scene)
        report: SettleReport = self._process.ask("settle", self._rule)
        return report

    def play(
        self, scene: Scene, world_from_body: Mapping[str, Pose], pushes: Sequence[Push], times_s: Sequence[float]
    ) -> list[dict[str, Pose]]:
        """Returns the poses of the dynamic bodies at each time after the pushes, from those poses at rest."""
        self._process.ask("load", scene)
        self._process.ask("place", dict(world_from_body))
        poses: list[dict[str, Pose]] = self._process.ask("play", tuple(pushes), tuple(times_s))
        return poses

    def close(self) -> None:
        """Ends the process; may be called twice."""
        self._process.close()


class MujocoElsewhere:
    """The backend mujoco in that process: what Isaac Sim is compared with. Satisfies `sim.backend.Backend`."""

    name = "mujoco"

    def __init__(self, python: str | None = None, *, environment: Mapping[str, str] | None = None) -> None:
        """Starts nothing; see MujocoProcess."""
        self._process = MujocoProcess(python, environment=environment)

    def load(self, scene: Scene) -> None:
        """Replaces the world with `scene`."""
        self._process.ask("load", scene)

    def settle(self) -> SettleReport:
        """Runs physics until the bodies rest or time is up."""
        report: SettleReport = self._process.ask("settle", SettleRule())
        return report

    def render(self, camera: Camera) -> Frame:
        """Returns the image and its truth."""
        frame: Frame = self._process.ask("render", camera)
        return frame

    def place(self, world_from_body: Mapping[str, Pose]) -> None:
        """Puts dynamic bodies there."""
        self._process.ask("place", dict(world_from_body))

    def play(self, pushes: Sequence[Push], times_s: Sequence[float]) -> list[dict[str, Pose]]:
        """Returns the poses at each time after the pushes."""
        poses: list[dict[str, Pose]] = self._process.ask("play", tuple(pushes), tuple(times_s))
        return poses

    def layers(self, camera: Camera) -> Layers:
        """Returns what lies behind the truth of that camera."""
        layers: Layers = self._process.ask("layers", camera)
        return layers

    def close(self) -> None:
        """Ends the process."""
        self._process.close()


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers requests with MuJoCo until there are no more."""
    backend: Any = None
    while True:
        try:
            verb, *rest = pickle.load(requests)  # noqa: S301
        except EOFError:
            break
        try:
            backend = backend or _open()
            answer: tuple[bool, Any] = True, _answer(backend, verb, *rest)
        except RehearseError as error:
            answer = False, error
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()
    if backend is not None:
        backend.close()


def _open() -> Any:
    """Opens MuJoCo; raises BackendError for another version than ours, such as the one that Isaac Sim 6.x pins."""
    import importlib.metadata

    version = importlib.metadata.version("mujoco")
    if int(version.partition(".")[0]) < _LEAST_MUJOCO:
        raise BackendError(
            f"Scenes are settled by MuJoCo {_LEAST_MUJOCO}, and {sys.executable} has {version} (Isaac Sim 6.x pins its own): "
            f"{_ELSEWHERE}."
        )
    return open_backend("mujoco")


def _answer(backend: Any, verb: str, *rest: Any) -> Any:
    if verb == "settle":
        backend._rule = rest[0]  # noqa: SLF001  # the rule of this request
        return backend.settle()
    answer = getattr(backend, verb)(*rest)
    return list(answer) if verb == "play" else answer


def main() -> None:
    """Serves on stdin and stdout; what MuJoCo prints goes to stderr."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
