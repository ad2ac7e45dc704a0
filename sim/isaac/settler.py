"""MuJoCo's physics in a process of its own, so that neither its OpenGL nor its OpenUSD meets Isaac Sim's.

`python -m sim.isaac.settler` takes one request after another, pickled, and answers each, until its input ends.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import scenes
from scenes.errors import BackendError, RehearseError
from scenes.motion import Push
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.backend import SettleReport, SettleRule, open_backend

# Pickle is spoken only between this process and the child that it started: both ends are ours.


class SettlerProcess:
    """Settles and plays scenes by MuJoCo elsewhere; the process starts when it is first asked and ends with this one."""

    def __init__(self, rule: SettleRule | None = None, *, environment: Mapping[str, str] | None = None) -> None:
        """Starts nothing; `environment` is the child's, as it was before Kit changed this process's."""
        self._rule = rule or SettleRule()
        self._environment = None if environment is None else dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def settle(self, scene: Scene) -> SettleReport:
        """Returns how the scene settles; raises what MuJoCo raises."""
        report: SettleReport = self._ask("settle", scene, self._rule)
        return report

    def play(
        self, scene: Scene, world_from_body: Mapping[str, Pose], pushes: Sequence[Push], times_s: Sequence[float]
    ) -> list[dict[str, Pose]]:
        """Returns the poses of the dynamic bodies at each time after the pushes, from those poses at rest."""
        poses: list[dict[str, Pose]] = self._ask("play", scene, dict(world_from_body), tuple(pushes), tuple(times_s))
        return poses

    def close(self) -> None:
        """Ends the process; may be called twice."""
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.wait(timeout=30)

    def _ask(self, *request: Any) -> Any:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(request, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            done, answer = pickle.load(process.stdout)  # noqa: S301
        except (OSError, EOFError) as error:
            status = process.wait(timeout=30)
            self._process = None
            raise BackendError(
                f"The process that settles scenes with MuJoCo ended with status {status}: install the [sim] extra in the "
                f"environment of {sys.executable}, or settle with PhysX (--isaac physics=physx)."
            ) from error
        if not done:
            raise answer
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sim.isaac.settler"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env=self._environment, cwd=Path(scenes.__file__).parent.parent,
            )  # fmt: skip
        return self._process


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers requests with MuJoCo until there are no more."""
    backend = open_backend("mujoco")
    while True:
        try:
            request = pickle.load(requests)  # noqa: S301
        except EOFError:
            break
        try:
            answer: tuple[bool, Any] = True, _answer(backend, *request)
        except RehearseError as error:
            answer = False, error
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()
    backend.close()


def _answer(backend: Any, verb: str, scene: Scene, *rest: Any) -> Any:
    if verb == "settle":
        backend._rule = rest[0]  # noqa: SLF001  # the rule of this request
        backend.load(scene)
        return backend.settle()
    world_from_body, pushes, times_s = rest
    backend.load(scene)
    backend.place(world_from_body)
    return list(backend.play(pushes, times_s))


def main() -> None:
    """Serves on stdin and stdout; what MuJoCo prints goes to stderr."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
