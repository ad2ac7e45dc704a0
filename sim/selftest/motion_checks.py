"""What moves, against paper: motion vectors of a thing and of the camera, and every teleport seen at once, fifty times over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scenes.transforms import Pose, quaternion_about
from sim.selftest.bench import Bench, moved_by
from sim.selftest.evidence import Evidence
from sim.selftest.oracle import Bools, Expected
from sim.selftest.verdict import Outcome

_VECTOR_PX = 0.25
_OVERLAP, _PAINTED = 0.9, 0.8
_TELEPORTS, _QUICK_TELEPORTS = 50, 12
_MOVED_M, _CAMERA_MOVED_M = (0.09, 0.0, 0.05), (0.04, 0.0, -0.03)


def thing_moves(bench: Bench) -> Outcome:
    """A thing that moved right and up has motion vectors with x < 0 (left is positive) and y > 0 (up is positive)."""
    bench.put_on(bench.stage)
    camera = bench.camera("watch")
    before = bench.look(camera)
    bench.place({"mover": moved_by(bench.stage.solids["mover"].world_from_body, _MOVED_M)})
    after, expected = bench.look(camera, before=before), bench.expect(camera)
    front_m = float(np.median(expected.depth_m[expected.inside("mover")]))
    known = np.array([-_MOVED_M[0], _MOVED_M[2]]) * camera.fx / front_m
    still = np.abs(_vectors(after)[expected.inside("backdrop", 4)]).max()
    outcome = _compare(_vectors(after)[expected.inside("mover", 4)], known)
    if outcome.holds and still > _VECTOR_PX:
        return Outcome(expected="0 on the wall behind", got=f"{still:.2f} px", tolerance=f"{_VECTOR_PX} px", holds=False)
    return outcome


def camera_moves(bench: Bench) -> Outcome:
    """Where the camera moved right and down, the wall moved left and up in the image."""
    bench.put_on(bench.stage)
    camera = bench.camera("head_on")
    before = bench.look(camera)
    moved = replace(camera, world_from_camera=moved_by(camera.world_from_camera, _CAMERA_MOVED_M))
    after, expected = bench.look(moved, before=before), bench.expect(moved)
    depth_m = float(np.median(expected.depth_m[expected.inside("wall")]))
    known = np.array([_CAMERA_MOVED_M[0], -_CAMERA_MOVED_M[2]]) * camera.fx / depth_m
    return _compare(_vectors(after)[expected.inside("wall", 4)], known)


def labels_are_fresh(bench: Bench) -> Outcome:
    """After every teleport depth and labels show the thing where it was put, never where it was before."""
    late, wrong, total, worst = 0, 0, 0, 1.0
    for seen, expected, previous in _teleports(bench):
        total += 1
        overlap = _overlap(seen.mask("mover"), expected.visible("mover"))
        inside = expected.inside("mover")
        depth_off = np.abs(seen.frame.truth.depth_m[inside] - expected.depth_m[inside])
        worst = min(worst, overlap)
        if overlap < _OVERLAP or float(np.nan_to_num(depth_off, nan=np.inf).max(initial=0.0)) > 1e-2:
            was_there = previous is not None and _overlap(seen.mask("mover"), previous) > overlap
            late, wrong = late + was_there, wrong + (not was_there)
    got = f"{total - late - wrong} of {total} where it was put (overlap {worst:.3f} at least)"
    if late or wrong:
        got = f"{late} of {total} frames show where it was before, {wrong} something else"
    return Outcome(expected=f"{total} of {total} teleports", got=got, tolerance=f"overlap {_OVERLAP}", holds=not (late or wrong))


def picture_is_fresh(bench: Bench) -> Outcome:
    """After every teleport the red thing is red in the image where it was put, and the wall is bare where it was."""
    stale, ghosts, total = 0, 0, 0
    for seen, expected, previous in _teleports(bench):
        total += 1
        red = _is_red(seen.frame.rgb)
        left = expected.inside("backdrop") & (previous if previous is not None else np.zeros_like(red))
        stale += bool(red[expected.inside("mover")].mean() < _PAINTED)
        ghosts += bool(left.any() and red[left].mean() > 1 - _PAINTED)
    got = f"{total - stale} of {total} painted where it was put, {ghosts} with a ghost where it was"
    return Outcome(
        expected=f"{total} of {total}, no ghost",
        got=got,
        tolerance=f"{100 * _PAINTED:g} % of its pixels",
        holds=not (stale or ghosts),
    )


def _teleports(bench: Bench) -> Iterator[tuple[Evidence, Expected, Bools | None]]:
    """Yields what is seen, what is expected, and the pixels that the mover had before, teleport after teleport."""
    bench.put_on(bench.stage)
    rng, camera = bench.rng(), bench.camera("watch", width=160)
    previous, last_m = None, np.full(3, np.inf)
    for _ in range(_QUICK_TELEPORTS if bench.quick else _TELEPORTS):
        pose = _anywhere(rng)
        while np.linalg.norm(np.asarray(pose.position_m) - last_m) < 0.15:
            pose = _anywhere(rng)
        last_m = np.asarray(pose.position_m)
        bench.place({"mover": pose})
        expected = bench.expect(camera)
        yield bench.look(camera), expected, previous
        previous = expected.visible("mover")


def _anywhere(rng: np.random.Generator) -> Pose:
    """Draws a pose before the backdrop in view of `watch`."""
    x, y, z = (float(v) for v in rng.uniform((5.65, 0.4, 0.75), (6.35, 0.75, 1.25)))
    return Pose((x, y, z), quaternion_about(rng.normal(size=3).tolist(), float(rng.uniform(0, 3))))


def _vectors(seen: Evidence) -> np.ndarray:
    return np.asarray(seen.annotation("motion_vectors"), dtype=np.float64)[..., :2]


def _compare(found: np.ndarray, known: np.ndarray) -> Outcome:
    median, worst = np.median(found, axis=0), float(np.abs(found - known).max())
    return Outcome(
        expected=f"({known[0]:+.2f}, {known[1]:+.2f}) px",
        got=f"({median[0]:+.2f}, {median[1]:+.2f}) px, off by at most {worst:.2f}",
        tolerance=f"{_VECTOR_PX} px",
        holds=worst <= _VECTOR_PX,
    )


def _overlap(a: Bools, b: Bools) -> float:
    return float((a & b).sum() / max(int((a | b).sum()), 1))


def _is_red(rgb: np.ndarray) -> Bools:
    red, green, blue = (rgb[..., k].astype(np.int64) for k in range(3))
    return np.asarray(red > 1.3 * np.maximum(np.maximum(green, blue), 10))

