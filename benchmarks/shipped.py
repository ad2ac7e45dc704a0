"""Where the engine that comes with Rehearse lies; no I/O."""

from __future__ import annotations

from pathlib import Path

SHIPPED_ENGINE = Path(__file__).resolve().parent.parent / "perception" / "models" / "panoptic_depthlab_tabletop.onnx"
