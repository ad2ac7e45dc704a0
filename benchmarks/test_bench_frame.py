"""What a complete frame costs, image and all truth rendered and written, against a bare RGB render and the plain loop.

Three ratios, each of alternating rounds on the same cores in one run: a complete frame to a bare render (at most 1.5), to the
plain loop of three `mujoco.Renderer` passes and PNG files (at most 1/1.5), and two workers to one (at least 1.8 times the
frames a second). The rasteriser is held to the thread that calls it; a worker calls it from one thread, or from two where it
has two cores. "1 thread" holds a worker to one, and the third ratio is between such workers; the row of a worker with both is
beside it, as is the plain loop whose rasteriser has Mesa's default, a thread a core. Processes are started anew for each, as
LP_NUM_THREADS is read once. With fewer than two free cores, neither the third ratio nor any row of two threads says anything.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Ratios
from scenes.camera import Camera
from scenes.errors import BackendError
from scenes.scene import Scene
from scenes.taxonomy import TAXONOMY
from sim.basicwriter import encode_frame
from sim.difficulty.clearance import clearances_m
from sim.frame import Frame
from sim.generate import GenerateSpec, generate
from sim.mujoco.backend import MujocoBackend
from sim.mujoco.render import _frustum, _set_eye
from sim.proof.figures import Agreement
from sim.proof.proven import Prover
from sim.proof.raycast import RayCaster
from sim.realize import realize
from sim.running.run_plan import RunPlan
from sim.running.worker import Checks, encode_checked, stage_frame

ROUNDS = 30
WORKER_FRAMES = 180
SCENES = 3
# Frames in a row: the last one's writing has no rendering to hide behind.
BURST = 5


def _measure(*arguments: str, mesa_threads: bool = False) -> dict[str, list[float]]:
    """Runs this file in a process of its own and returns its seconds by name; Mesa draws with a thread a core if told to."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MUJOCO_GL": "egl"}
    environment.pop("LP_NUM_THREADS", None)
    if not mesa_threads:
        environment["LP_NUM_THREADS"] = "0"
    command = [sys.executable, "-m", "benchmarks.test_bench_frame", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=environment)
    if done.returncode:
        pytest.skip(f"nothing can be rendered here: {done.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_bench_complete_frame(benchmark: BenchmarkFixture, ratios: Ratios, tmp_path: Path) -> None:
    figures = benchmark.pedantic(_measure, args=("frame", str(tmp_path), str(ROUNDS)), rounds=1)
    mesa = _measure("frame", str(tmp_path), str(ROUNDS), "plain", mesa_threads=True)
    ratios.add("complete frame, written, 2 threads", figures["beside"], "a bare RGB render", figures["bare"])
    ratios.add("complete frame, written, 2 threads (CPU time)", figures["beside cpu"], "a bare one's", figures["bare cpu"])
    ratios.add("the plain loop, 1 thread", figures["plain"], "a complete frame, 2 threads", figures["beside"])
    ratios.add("the same with Mesa's own threads", mesa["plain"], "a complete frame, 2 threads", figures["beside"])
    ratios.add("complete frame, written, 1 thread", figures["complete"], "a bare RGB render", figures["bare"])
    ratios.add("complete frame, written, 1 thread (CPU time)", figures["complete cpu"], "a bare one's", figures["bare cpu"])
    ratios.add("the same with proof and difficulty, 1 thread", figures["proven"], "a bare RGB render", figures["bare"])
    ratios.add("the plain loop, 1 thread", figures["plain"], "a complete frame, 1 thread", figures["complete"])
    ratios.add("image and truth, not written, 1 thread", figures["truth"])


def test_bench_two_workers(benchmark: BenchmarkFixture, ratios: Ratios, tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("two workers need two cores")

    def both() -> dict[str, list[float]]:
        runs = {"one": ("1", "2", "1"), "two": ("2", "2", "1"), "pinned": ("1", "1", "1"), "beside": ("1", "2", "2")}
        return {
            name: _measure("workers", str(tmp_path / name), str(WORKER_FRAMES), *run)["seconds"]
            for name, run in runs.items()
        }

    figures = benchmark.pedantic(both, rounds=1)
    ratios.add(f"one worker that draws in 1 thread, {WORKER_FRAMES} frames", figures["one"], "two workers", figures["two"])
    ratios.add("one worker held to one core", figures["pinned"], "two workers", figures["two"])
    ratios.add("one worker that draws in 2 threads", figures["beside"], "two workers", figures["two"])


def main(arguments: list[str]) -> None:
    """Prints one line of JSON."""
    what, folder, count, *rest = arguments
    if what == "frame":
        print(json.dumps(frame_costs(Path(folder), int(count), only=rest)))
    else:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(rest[1])])
        seconds = worker_seconds(Path(folder), int(count), workers=int(rest[0]), threads=int(rest[2]))
        print(json.dumps({"seconds": [seconds]}))


def frame_costs(folder: Path, rounds: int, only: Sequence[str] = ()) -> dict[str, list[float]]:
    """Returns seconds per frame of each way to make one, over the scenes in turn; wall, and CPU of all threads.

    `only` names the ways that are wanted; empty means all.
    """
    import cv2

    cv2.setNumThreads(1)
    sys.setswitchinterval(2e-4)  # as workers do
    seconds: dict[str, list[float]] = {}
    backend, beside = MujocoBackend(), MujocoBackend()
    if not beside.draw_beside():
        raise BackendError("Truth is not drawn beside the image here: it needs Mesa's software rendering through EGL.")
    for index in range(SCENES):
        scene, _ = realize(backend, "tabletop", split="test", seed=0, index=index)
        beside.load(scene)
        camera = scene.cameras[0]
        plain = PlainLoop(backend, scene, camera)
        checks = Checks(prover=Prover(RayCaster(scene), folder), clearance_m=clearances_m(scene))
        proven = functools.partial(encode_checked, checks=checks)
        ways: dict[str, Callable[[int], object]] = {
            "bare": lambda n, c=camera: [backend._loaded().image(c) for _ in range(n)],  # type: ignore[misc]  # noqa: SLF001  # has no public door
            "beside": functools.partial(_complete, beside, camera, scene, folder, _labels),
            "complete": functools.partial(_complete, backend, camera, scene, folder, _labels),
            "proven": functools.partial(_complete, backend, camera, scene, folder, proven),
            "truth": lambda n, c=camera: [backend.render(c) for _ in range(n)],  # type: ignore[misc]
            "plain": lambda n, p=plain: [p.frame(folder) for _ in range(n)],  # type: ignore[misc]
        }
        ways = {name: way for name, way in ways.items() if name in only or not only}
        for way in ways.values():
            way(2)
        for _ in range(max(1, rounds // SCENES // BURST)):
            for name, way in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                way(BURST)
                seconds.setdefault(name, []).append((time.perf_counter() - wall) / BURST)
                seconds.setdefault(f"{name} cpu", []).append((time.process_time() - cpu) / BURST)
        plain.close()
    backend.close()
    beside.close()
    return seconds


Encode = Callable[[Frame, int], tuple[dict[str, bytes], Agreement | None]]


def _labels(frame: Frame, number: int) -> tuple[dict[str, bytes], Agreement | None]:
    """Image, depth, ids and boxes, and neither the rays' proof nor difficulty."""
    return encode_frame(frame, number), None


def _complete(
    backend: MujocoBackend, camera: Camera, scene: Scene, folder: Path, encode: Encode, count: int
) -> None:
    """Makes frames as a worker does: each is written while the next one is rendered."""
    digest = scene.digest()
    with ThreadPoolExecutor(1) as writer:
        writing: Future[Any] | None = None
        for number in range(count):
            frame = backend.render(camera)
            if writing is not None:
                writing.result()
            encoding = functools.partial(encode, frame, number)
            writing = writer.submit(stage_frame, folder, frame.name, encoding, 0, digest)
        if writing is not None:
            writing.result()


class PlainLoop:
    """The loop that one would write first: three passes of `mujoco.Renderer`, PNG and npy files, boxes from the ids."""

    def __init__(self, backend: MujocoBackend, scene: Scene, camera: Camera) -> None:
        import mujoco

        world = backend._loaded()  # noqa: SLF001  # the same model and poses, drawn by MuJoCo's own class
        self._data, self._bodies = world.data, world.model.geom_bodyid
        self._renderer = mujoco.Renderer(world.model, camera.height, camera.width)
        self._camera, self._frustum = camera, _frustum(camera, (0, 0, camera.width, camera.height))
        self._category_of = np.zeros(world.model.nbody, dtype=np.uint8)
        for body in scene.bodies:
            self._category_of[world.model.body(body.name).id] = TAXONOMY.named(body.category).id
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [0, 0, 1, 0, 0, 0]

    def frame(self, folder: Path) -> None:
        """Renders and writes one frame: rgb, depth, instances, semantics, and the box of every body."""
        import cv2

        renderer = self._renderer
        renderer.update_scene(self._data, scene_option=self._option)
        for eye in renderer.scene.camera:
            _set_eye(eye, self._camera)
            eye.frustum_center, eye.frustum_width, eye.frustum_top, eye.frustum_bottom = self._frustum
        rgb = renderer.render()
        renderer.enable_depth_rendering()
        depth = renderer.render()
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        geoms = renderer.render()[..., 0]
        renderer.disable_segmentation_rendering()
        bodies = np.where(geoms >= 0, self._bodies[geoms], 0).astype(np.uint16)
        boxes = []
        for body in np.unique(bodies):
            v, u = np.nonzero(bodies == body)
            boxes.append((int(body), int(u.min()), int(v.min()), int(u.max()), int(v.max())))
        cv2.imwrite(str(folder / "plain_rgb.png"), rgb[..., ::-1])
        cv2.imwrite(str(folder / "plain_instance.png"), bodies)
        cv2.imwrite(str(folder / "plain_semantic.png"), self._category_of[bodies])
        np.save(folder / "plain_depth.npy", depth)
        (folder / "plain_boxes.json").write_text(json.dumps(boxes))

    def close(self) -> None:
        """Frees the renderer."""
        self._renderer.close()


def worker_seconds(folder: Path, frames: int, *, workers: int, threads: int) -> float:
    """Returns the seconds from the first finished scenes to the last, so that starting processes does not count."""
    done: list[tuple[int, float]] = []
    generate(
        GenerateSpec(suite="tabletop", out=folder, frames=frames, split="test", workers=workers, stages=False),
        plan=RunPlan(drawing_threads=threads),
        progress=lambda count, _: done.append((count, time.monotonic())),
    )
    # The first scene of every worker pays for its start; the rate is over what comes after.
    first, last = done[workers], done[-1]
    return (last[1] - first[1]) / (last[0] - first[0]) * frames


if __name__ == "__main__":
    main(sys.argv[1:])
