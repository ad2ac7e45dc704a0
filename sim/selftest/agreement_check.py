"""The agreement gate on scenes of both suites: MuJoCo settles them, another backend gives a second opinion on every view."""

from __future__ import annotations

from scenes.suites import SUITES
from sim.backend import Backend
from sim.frame_id import FrameId
from sim.pictures import png_bytes
from sim.proof.agreement import FrameComparison, compare_frames, draw_comparison
from sim.proof.figures import summed
from sim.rebuild import look, rebuild_scene
from sim.selftest.bench import Bench
from sim.selftest.verdict import Outcome

_SETTLER, _SECOND = "mujoco", "raycast"
_SUITES = ("tabletop", "household")
_SCENES, _QUICK_SCENES = 20, 2
_SIZE = (160, 120)


def agrees(bench: Bench) -> Outcome:
    """Every scene, at the poses at which MuJoCo settled it, looks the same as MuJoCo has it; MuJoCo itself, as rays have it."""
    settler = bench.open_reference(_SETTLER)
    second = bench.open_reference(_SECOND) if bench.backend.name == _SETTLER else settler
    bench.taken_off()
    compared = []
    try:
        for k in range(_QUICK_SCENES if bench.quick else _SCENES):
            compared.append(_compare(bench, settler, second, k))
    finally:
        settler.close()
        if second is not settler:
            second.close()
    wrong = [c for c in compared if c.complaints()]
    total = summed(c.agreement for c in compared)
    said = "; ".join(f"{c.name}: {', '.join(c.complaints()[:2])}" for c in wrong[:2])
    got = f"{len(compared) - len(wrong)} of {len(compared)} scenes agree, {total.agreeing} of {total.checked} pixels"
    return Outcome(
        expected=f"{len(compared)} scenes as {second.name} has them",
        got=f"{got}: {said}" if wrong else got,
        tolerance="99.9 % of pixels away from edges, 1 mm",
        holds=not wrong,
    )


def _compare(bench: Bench, settler: Backend, second: Backend, k: int) -> FrameComparison:
    suite = _SUITES[k % len(_SUITES)]
    index = k // len(_SUITES)
    scene = rebuild_scene(settler, FrameId(suite=suite, version=SUITES[suite].version, split="test", seed=0, index=index))
    camera = scene.cameras[k // len(_SUITES) % len(scene.cameras)].name
    if second is not settler:
        second.load(scene)
    reference = look(second, scene, camera, size=_SIZE)
    bench.backend.load(scene)
    mine = look(bench.backend, scene, camera, size=_SIZE)
    found = compare_frames(reference, mine)
    if found.complaints() and bench.out is not None:
        picture = draw_comparison(reference, mine, found, titles=(second.name, bench.backend.name))
        folder = bench.out / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"agreement_{suite}_{index}.png").write_bytes(png_bytes(picture))
    return found
