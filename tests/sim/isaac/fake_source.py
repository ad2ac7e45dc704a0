"""Frames of the isaac backend on the FAKE, in a worker process of `generate`: it is installed there before anything else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sim._frame_source import BackendSource
from tests.sim.isaac.fake_replicator import installed

if TYPE_CHECKING:
    from sim.generate import GenerateSpec


class FakeIsaacSource(BackendSource):
    """A BackendSource whose Isaac Sim is the fake; notes its process in the file `processes` beside the data set."""

    def __init__(self, spec: GenerateSpec) -> None:
        self._fake = installed("6.2.0")
        kit = self._fake.__enter__()
        super().__init__(spec)
        with (Path(spec.out).parent / "processes").open("a") as file:
            file.write(f"{os.getpid()} {kit.launch_config['max_gpu_count']} {kit.launch_config['multi_gpu']}\n")

    def close(self) -> None:
        super().close()
        self._fake.__exit__(None, None, None)


class DyingAtTheEnd(FakeIsaacSource):
    """Ends its process with status 9 after its last scene, as Kit may: everything is on the disk by then."""

    def close(self) -> None:
        os._exit(9)


class DyingOnce(FakeIsaacSource):
    """Takes its process down in the middle of the second scene, the first time."""

    def scene(self, index: int):
        marker = Path(self._spec.out).parent / "died"
        if index == 1 and not marker.exists():
            marker.touch()
            os._exit(11)
        return super().scene(index)
