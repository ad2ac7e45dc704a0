"""The demo goes from a seed to a report through every room of the house; each step says what it does and how long it took."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rehearsal import Rehearsal, Say, rehearse_device
from benchmarks.shipped import SHIPPED_ENGINE
from hil.profiles import profile_named
from scenes.errors import EngineError, LinkError
from sim.generate import GenerateSpec, generate

SUITE, SPLIT, SIZE = "tabletop", "test", (640, 480)

_FRONT_DOOR = Path(__file__).resolve().parent.parent / "rehearse.py"
_READY_WITHIN_S = 60.0
_STOP_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSpec:
    """What to rehearse: `engine` None is the shipped one; `out` holds dataset/, agent.log and report.html afterwards."""

    engine: Path | None = None
    out: Path = Path("out/demo")
    frames: int = 24
    seed: int = 0
    rate_hz: float = 15.0
    duration_s: float = 20.0
    backend: str = "auto"
    threads: int | None = None


def run_demo(spec: DemoSpec, *, say: Say) -> Rehearsal:
    """Generates frames, starts the agent as a process of its own, streams, scores and writes the report.

    Takes about a minute on two cores at the defaults. Frames that an earlier call made are used again. Raises
    RehearseError's children with the step that failed.
    """
    engine = find_engine(spec.engine)
    data = spec.out / "dataset"
    say(f"1/3 making {spec.frames} frames of {SUITE}, {SPLIT} split, seed {spec.seed}")
    made = generate(GenerateSpec(suite=SUITE, split=SPLIT, seed=spec.seed, frames=spec.frames, size=SIZE, out=data))
    fresh = f"{made.frames_made} new frames in {made.seconds:.1f} s" if made.frames_made else "all there already"
    say(f"    {made.frames} frames of {made.scenes} scenes: {fresh}")
    say(f"2/3 starting the agent with {engine.name} as a process of its own")
    with agent_process(engine, log=spec.out / "agent.log", backend=spec.backend, threads=spec.threads) as device:
        say("3/3 rehearsing on the clock")
        return rehearse_device(
            data,
            device,
            rate_hz=spec.rate_hz,
            profile=profile_named("look").changed(duration_s=spec.duration_s),
            out=spec.out,
            say=say,
            commands=_commands(spec, engine),
        )


def find_engine(path: Path | None) -> Path:
    """Returns the engine file to use; raises EngineError where it is not there."""
    engine = path or SHIPPED_ENGINE
    if not engine.is_file():
        what = "The shipped engine" if path is None else "The engine"
        raise EngineError(f"{what} {engine} is not there; give one with --engine FILE.onnx, or make one with train and export.")
    return engine


@contextmanager
def agent_process(
    engine: Path,
    *,
    log: Path,
    bind: str = "tcp://127.0.0.1:*",
    backend: str = "auto",
    threads: int | None = None,
    precision: str = "auto",
    emulate: str | None = None,
) -> Iterator[str]:
    """Runs `rehearse agent` as a child while the block lasts and yields its address; its words go into `log`.

    Raises LinkError, with the agent's own last words, where it does not become ready.
    """
    command = [sys.executable, str(_FRONT_DOOR), "agent", str(engine), "--bind", bind, "--backend", backend]
    command += [] if threads is None else ["--threads", str(threads)]
    command += [] if precision == "auto" else ["--precision", precision]
    command += [] if emulate is None else ["--emulate", emulate]
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as words:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, env=environment)
    try:
        yield _wait_ready(child, log)
    finally:
        child.terminate()
        try:
            child.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _wait_ready(child: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _READY_WITHIN_S
    stdout = child.stdout
    while stdout is not None and time.monotonic() < deadline:
        readable, _, _ = select.select([stdout], [], [], 0.2)
        line = stdout.readline().decode(errors="replace") if readable else ""
        if line.startswith("READY "):
            return line.split()[1]
        if readable and not line:
            break
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = said[-1].removeprefix("rehearse: ") if said else f"it said nothing within {_READY_WITHIN_S:g} s"
    raise LinkError(f"The agent did not start: {reason}")


def _commands(spec: DemoSpec, engine: Path) -> tuple[str, ...]:
    data = spec.out / "dataset"
    return (
        f"rehearse generate {SUITE} {data} --split {SPLIT} --seed {spec.seed} --frames {spec.frames} --size {SIZE[0]}x{SIZE[1]}",
        f"rehearse agent {_short(engine)}",
        f"rehearse hil {data} --device tcp://127.0.0.1:5555 --rate {spec.rate_hz:g} --duration {spec.duration_s:g}",
    )


def _short(path: Path) -> str:
    """Returns the path relative to the checkout or the current folder where it lies in one of them, else its name."""
    for base in (_FRONT_DOOR.parent, Path.cwd()):
        if path.resolve().is_relative_to(base):
            return str(path.resolve().relative_to(base))
    return path.name
