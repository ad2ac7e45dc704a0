"""The shipped engine is what its model card says, and it sees: a few unseen frames, through both CPU engines."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from perception.engine import open_engine
from perception.perceiver import Perceiver
from perception.scoring import score_frames
from scenes.taxonomy import TABLETOP_CATEGORIES
from sim.backend import open_backend
from sim.frame import Frame
from sim.realize import realize

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "perception" / "models" / "panoptic_depthlab_tabletop.onnx"
CARD = ROOT / "perception" / "models" / "README.md"


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    backend = open_backend("mujoco")
    made = []
    for index in range(3):
        scene, _ = realize(backend, "tabletop", split="val", seed=9, index=index)
        made += [backend.render(camera) for camera in scene.cameras]
    backend.close()
    return made


def test_it_is_small_and_the_card_names_exactly_this_file() -> None:
    assert ENGINE.stat().st_size < 12_000_000
    assert hashlib.sha256(ENGINE.read_bytes()).hexdigest() in CARD.read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_it_knows_the_taxonomy_and_segments_unseen_frames(backend: str, frames: list[Frame]) -> None:
    engine = open_engine(ENGINE, backend=backend)
    assert engine.metadata.categories == TABLETOP_CATEGORIES
    perceiver = Perceiver(engine)
    pairs = []
    for frame in frames:
        c = frame.camera
        pairs.append((frame, perceiver.perceive(frame.rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy)))
    scores = score_frames(pairs)
    assert scores["pq"].value is not None
    assert scores["pq"].value > 0.5
    assert scores["delta1_image_mean"].value is not None
    assert scores["delta1_image_mean"].value > 0.9


def test_both_engines_see_the_same(frames: list[Frame]) -> None:
    first, second = (Perceiver(open_engine(ENGINE, backend=name, precision="f32")) for name in ("openvino", "onnxruntime"))
    c = frames[0].camera
    a, b = (p.perceive(frames[0].rgb, fx=c.fx, fy=c.fy, cx=c.cx, cy=c.cy) for p in (first, second))
    assert (a.semantic() == b.semantic()).mean() > 0.995
    assert np.median(np.abs(a.depth_m / b.depth_m - 1)) < 1e-3
