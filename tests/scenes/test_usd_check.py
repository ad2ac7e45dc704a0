"""Each rule of ours fires on the fault it is for, and on nothing else."""

from __future__ import annotations

import pytest

from scenes.errors import StageError
from scenes.usd import write_stage
from scenes.usd_check import check_stage, open_stage
from tests.scenes.small_scene import small_scene

pytest.importorskip("pxr")
from pxr import Sdf, UsdGeom, UsdSemantics


def _label(stage, path: str, *labels: str) -> None:
    UsdSemantics.LabelsAPI.Apply(stage.GetPrimAtPath(path), "class").CreateLabelsAttr(list(labels))


def _deprecate(stage) -> None:
    schemas = Sdf.TokenListOp()
    schemas.prependedItems = ["SemanticsAPI:class"]
    stage.GetPrimAtPath("/World/Lights").SetMetadata("apiSchemas", schemas)


def _set(stage, path: str, attribute: str, value: object) -> None:
    stage.GetPrimAtPath(path).GetAttribute(attribute).Set(value)


FAULTS = {
    "unlabelled": (lambda s: UsdGeom.Cube.Define(s, "/World/stray"), ["/World/stray is rendered with 0 labels"]),
    "empty label": (lambda s: _label(s, "/World/table"), ["/World/table/shell is rendered with 0 labels"]),
    "two labels": (
        lambda s: _label(s, "/World/table", "table", "desk"),
        ["/World/table/shell is rendered with 2 labels"],
    ),
    "upper case": (lambda s: _label(s, "/World/table", "Table"), ["/World/table is labelled 'Table'"]),
    "nested": (
        lambda s: _label(s, "/World/can_0/lid", "lid"),
        ["/World/can_0/lid is labelled inside", "/World/can_0/lid is rendered with 2 labels"],
    ),
    "deprecated": (_deprecate, ["/World/Lights carries the deprecated SemanticsAPI"]),
    "instanceable": (
        lambda s: s.GetPrimAtPath("/World/glass_0").SetInstanceable(True),
        ["/World/glass_0/shell is instanced by /World/glass_0"],
    ),
    "aperture": (
        lambda s: _set(s, "/World/Cameras/view_0", "verticalAperture", 15.0),
        ["/World/Cameras/view_0 needs verticalAperture"],
    ),
    "offset": (
        lambda s: UsdGeom.Camera.Get(s, "/World/Cameras/view_0").CreateHorizontalApertureOffsetAttr(1.0),
        ["/World/Cameras/view_0 has an aperture offset"],
    ),
    "clipping": (
        lambda s: _set(s, "/World/Cameras/view_1", "clippingRange", (1.0, 0.5)),
        ["/World/Cameras/view_1 has the clipping range"],
    ),
    "resolution": (
        lambda s: s.GetPrimAtPath("/World/Cameras/view_1").RemoveProperty("rehearse:resolution"),
        ["/World/Cameras/view_1 does not say its resolution"],
    ),
    "hidden gprim is fine": (lambda s: UsdGeom.Cube.Define(s, "/World/stray").CreateVisibilityAttr("invisible"), []),
    "guide gprim is fine": (lambda s: UsdGeom.Cube.Define(s, "/World/stray").CreatePurposeAttr("guide"), []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_nothing_else_is(fault, tmp_path):
    spoil, expected = FAULTS[fault]
    write_stage(small_scene(), tmp_path / "s.usda")
    stage = open_stage(tmp_path / "s.usda")
    spoil(stage)
    stage.GetRootLayer().Export(str(tmp_path / "spoilt.usda"))
    problems = check_stage(tmp_path / "spoilt.usda")
    assert len(problems) == len(expected), problems
    for problem, start in zip(problems, expected, strict=True):
        assert problem.startswith(start)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.usda", b"nope"),
        ("a.usda", b"#usda 1.0\ndef X {{{"),
        ("a.usdc", b"nope"),
        ("a.usdz", b"nope"),
        ("a.txt", b"x"),
    ],
)
def test_a_file_that_is_no_stage_is_one_clear_error(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StageError, match="not a readable OpenUSD stage"):
        check_stage(tmp_path / name)


def test_a_missing_stage_is_one_clear_error(tmp_path):
    with pytest.raises(StageError, match="no stage at"):
        check_stage(tmp_path / "none.usda")
