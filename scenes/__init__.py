"""What is in the world: taxonomy, procedural objects and rooms, placement, and the OpenUSD stage. Knows no renderer."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "BASE_SIZE": "scenes.suites",
    "Body": "scenes.scene",
    "Camera": "scenes.camera",
    "Category": "scenes.taxonomy",
    "Light": "scenes.scene",
    "OrientedBox": "scenes.box",
    "Pose": "scenes.transforms",
    "RehearseError": "scenes.errors",
    "SUITES": "scenes.suites",
    "Scene": "scenes.scene",
    "SceneId": "scenes.scene",
    "TAXONOMY": "scenes.taxonomy",
    "Taxonomy": "scenes.taxonomy",
    "VIEWS_PER_SCENE": "scenes.suites",
    "make_scene": "scenes.suites",
    "write_stage": "scenes.usd",
}

__all__ = [
    "BASE_SIZE",
    "SUITES",
    "TAXONOMY",
    "VIEWS_PER_SCENE",
    "Body",
    "Camera",
    "Category",
    "Light",
    "OrientedBox",
    "Pose",
    "RehearseError",
    "Scene",
    "SceneId",
    "Taxonomy",
    "make_scene",
    "write_stage",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
