"""No frame is written whose labels the ray caster contradicts; what it found against one is left as a report to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scenes.errors import ProofError
from scenes.files import write_whole
from scenes.scene import Scene
from scenes.transforms import Pose
from sim.frame import Frame
from sim.pictures import Image, draw_text, png_bytes
from sim.proof.figures import Agreement, Proof
from sim.running.publish import WORK

if TYPE_CHECKING:
    from sim.generate import GenerateSpec
    from sim.proof.raycast import RayCaster

_MARK, _MARK_PX = (255, 0, 255), 3


class Prover:
    """The ray caster of one settled scene, which judges its frames."""

    def __init__(self, caster: RayCaster, folder: Path) -> None:
        self._caster = caster
        self._folder = folder

    @classmethod
    def of(cls, spec: GenerateSpec, scene: Scene) -> Prover | None:
        """Returns the prover of a scene, None where no proof is asked for or the scene holds nothing to meet."""
        from sim.proof.raycast import RayCaster

        return cls(RayCaster(scene), spec.out) if spec.proof and scene.bodies else None

    def prove(self, frame: Frame, number: int, world_from_body: Mapping[str, Pose] | None = None) -> Agreement:
        """Returns how the labels agree with the rays; raises ProofError, and leaves a report, where they do not.

        `world_from_body` says where bodies stood in this frame that have moved since the scene settled.
        """
        from sim.proof.check import prove

        proof = prove(frame, self._caster, world_from_body=world_from_body)
        if not proof.holds:
            report = write_refusal(self._folder / WORK / "refused", frame, number, proof)
            raise ProofError(_sentence(proof, report))
        return proof.agreement


def write_refusal(folder: Path, frame: Frame, number: int, proof: Proof) -> Path:
    """Writes frame_N.json (all that was found) and frame_N.png (the pixels that differ, marked); returns the former."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / f"frame_{number:04d}.json"
    write_whole(report, json.dumps(proof.to_dict(), indent=1))
    write_whole(report.with_suffix(".png"), png_bytes(marked(frame.rgb, proof)))
    return report


def marked(image: Image, proof: Proof) -> Image:
    """Returns the image with a square around every pixel that differs and the figures in a corner."""
    drawn = np.ascontiguousarray(image).copy()
    height, width = drawn.shape[:2]
    for pixel in proof.differences:
        rows = slice(max(pixel.v - _MARK_PX, 0), pixel.v + _MARK_PX + 1)
        columns = slice(max(pixel.u - _MARK_PX, 0), pixel.u + _MARK_PX + 1)
        for edge in (max(pixel.v - _MARK_PX, 0), min(pixel.v + _MARK_PX, height - 1)):
            drawn[edge, columns] = _MARK
        for edge in (max(pixel.u - _MARK_PX, 0), min(pixel.u + _MARK_PX, width - 1)):
            drawn[rows, edge] = _MARK
    found = proof.agreement
    return draw_text(drawn, f"{found.agreeing} of {found.checked} agree", (3, height - 6))


def _sentence(proof: Proof, report: Path) -> str:
    first = ""
    if proof.differences:
        pixel = proof.differences[0]
        first = (
            f" At (u={pixel.u}, v={pixel.v}) the label says {pixel.labelled} at {pixel.labelled_depth_m:.4f} m, "
            f"a ray meets {pixel.cast} at {pixel.cast_depth_m:.4f} m."
        )
    return (
        f"Frame {proof.frame} is refused: {'; '.join(proof.complaints())}.{first} Its scene was not written; "
        f"{report} has every pixel that differs. Please report it; --no-proof writes such frames."
    )
