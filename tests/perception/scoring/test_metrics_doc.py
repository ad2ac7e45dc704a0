"""docs/metrics.md defines every figure that is printed, and the package exports what it says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import perception.scoring
from perception.scoring import HEADLINES, score_frames
from tests.perception.scoring.label_maps import make_frame


def test_every_figure_is_defined_in_the_docs_and_nothing_else(rng, root_dir):
    text = (root_dir / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    defined = {key for row in rows for key in re.findall(r"`([a-z0-9_]+)`", row)}
    printed = {re.sub("_(image_mean|pooled)$", "", key) for key in score_frames([(make_frame(rng), None)]).figures}
    assert {re.sub("_(image_mean|pooled)$", "", key) for key in defined} == printed
    assert len(HEADLINES) == len(set(HEADLINES))


def test_exports_are_complete_and_sorted():
    names = perception.scoring.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert set(names) == set(perception.scoring._HOME)
    for name in names:
        assert getattr(perception.scoring, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        perception.scoring.nothing  # noqa: B018  # the access is the test


def test_import_brings_no_heavy_library(root_dir):
    code = "import sys, perception.scoring.score; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root_dir
    ).stdout
    assert {"torch", "scipy", "cv2", "mujoco", "pxr"}.isdisjoint(loaded.split())
    assert "perception.scoring.score" in loaded.split()
