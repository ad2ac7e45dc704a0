"""A stage that passes here gives every rendered surface one label, and cameras whose two apertures agree.

These are the rules that no public validator has: what they catch ends as wrong ids or a wrong intrinsic matrix in
Isaac Sim, silently. Run the OpenUSD and omniverse validators beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scenes._usd_view import RESOLUTION_ATTRIBUTE
from scenes.errors import StageError


def check_stage(path: Path, *, taxonomy: str = "class") -> list[str]:
    """Returns one sentence per problem, in stage order, empty where all is well; raises StageError if unreadable.

    Rules: each rendered gprim carries exactly one label, on itself or one ancestor; labels are lower case; nothing
    labelled or rendered is instanced; the deprecated SemanticsAPI is absent; no two labelled prims nest; each camera
    has verticalAperture = horizontalAperture * H / W, no aperture offset and a near plane below its far plane.
    """
    from pxr import Usd, UsdGeom

    stage = open_stage(path)
    problems: list[str] = []
    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies(Usd.PrimIsActive)):
        problems += _label_problems(prim, taxonomy)
        if prim.IsA(UsdGeom.Gprim) and _is_rendered(prim):
            problems += _gprim_problems(prim, taxonomy)
        if prim.IsA(UsdGeom.Camera):
            problems += _camera_problems(prim)
    return problems


def open_stage(path: Path) -> Any:
    """Returns the `Usd.Stage` in that file; raises StageError where there is none or it cannot be read."""
    from pxr import Tf, Usd

    if not Path(path).is_file():
        raise StageError(f"There is no stage at {str(path)!r}; write one with `rehearse scene`.")
    try:
        stage = Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        said = (
            error.args[0].commentary.strip()
            if error.args and hasattr(error.args[0], "commentary")
            else "no reason given"
        )
        raise StageError(f"{str(path)!r} is not a readable OpenUSD stage ({said}); write it again.") from error
    return stage


def labels_of(prim: Any, taxonomy: str = "class") -> tuple[str, ...]:
    """Returns the labels authored on that prim itself."""
    from pxr import UsdSemantics

    if not prim.HasAPI(UsdSemantics.LabelsAPI, taxonomy):
        return ()
    return tuple(str(label) for label in UsdSemantics.LabelsAPI(prim, taxonomy).GetLabelsAttr().Get() or ())


def labelled_ancestors(prim: Any, taxonomy: str = "class") -> list[Any]:
    """Returns the prim and its ancestors that carry a label, nearest first."""
    chain = []
    while prim and not prim.IsPseudoRoot():
        if labels_of(prim, taxonomy):
            chain.append(prim)
        prim = prim.GetParent()
    return chain


def _is_rendered(prim: Any) -> bool:
    from pxr import UsdGeom

    imageable = UsdGeom.Imageable(prim)
    purpose = imageable.ComputePurpose()
    hidden = imageable.ComputeVisibility() == UsdGeom.Tokens.invisible
    return purpose in {UsdGeom.Tokens.default_, UsdGeom.Tokens.render} and not hidden


def _label_problems(prim: Any, taxonomy: str) -> Iterator[str]:
    path = prim.GetPath()
    if any(str(schema).split(":")[0] == "SemanticsAPI" for schema in prim.GetPrimTypeInfo().GetAppliedAPISchemas()):
        yield f"{path} carries the deprecated SemanticsAPI; keep only SemanticsLabelsAPI:{taxonomy}."
    labels = labels_of(prim, taxonomy)
    for label in labels:
        if label != label.lower():
            yield f"{path} is labelled {label!r}; Isaac Sim lower-cases labels, so write {label.lower()!r}."
    if labels and len(labelled_ancestors(prim, taxonomy)) > 1:
        yield f"{path} is labelled inside labelled {labelled_ancestors(prim, taxonomy)[1].GetPath()}; label one of them."


def _gprim_problems(prim: Any, taxonomy: str) -> Iterator[str]:
    from pxr import UsdGeom

    path = prim.GetPath()
    labels = [label for owner in labelled_ancestors(prim, taxonomy) for label in labels_of(owner, taxonomy)]
    if len(labels) != 1:
        yield f"{path} is rendered with {len(labels)} labels {labels}; give it, or one ancestor, exactly one."
    above = prim
    while not above.IsPseudoRoot() and not above.IsInstanceable() and not above.IsA(UsdGeom.PointInstancer):
        above = above.GetParent()
    if not above.IsPseudoRoot():
        yield f"{path} is instanced by {above.GetPath()}; Isaac Sim loses labels of instances, so use plain references."


def _camera_problems(prim: Any) -> Iterator[str]:
    from pxr import UsdGeom

    camera = UsdGeom.Camera(prim)
    path = prim.GetPath()
    horizontal = float(camera.GetHorizontalApertureAttr().Get())
    vertical = float(camera.GetVerticalApertureAttr().Get())
    near_m, far_m = camera.GetClippingRangeAttr().Get()
    if camera.GetHorizontalApertureOffsetAttr().Get() or camera.GetVerticalApertureOffsetAttr().Get():
        yield f"{path} has an aperture offset, which Isaac Sim adds in the wrong unit; centre the camera."
    if not (horizontal > 0 and vertical > 0 and camera.GetFocalLengthAttr().Get() > 0):
        yield f"{path} needs a positive focal length and apertures."
    if not 0 < near_m < far_m:
        yield f"{path} has the clipping range ({near_m}, {far_m}); 0 < near < far is needed."
    size = prim.GetAttribute(RESOLUTION_ATTRIBUTE).Get() if prim.HasAttribute(RESOLUTION_ATTRIBUTE) else None
    if size is None:
        yield f"{path} does not say its resolution ({RESOLUTION_ATTRIBUTE}), so its apertures cannot be checked."
    elif min(size) < 1 or not math.isclose(vertical, horizontal * size[1] / size[0], rel_tol=1e-5):
        yield f"{path} needs verticalAperture = {horizontal:g} * {size[1]} / {size[0]}, got {vertical:g}."
