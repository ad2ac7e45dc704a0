"""What a foreign stage lacks for its labels to be true, each with its prim path and what to do; nothing is guessed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scenes.taxonomy import TAXONOMY
from scenes.usd_check import labels_of

_OLD_PREFIX, _OLD_TYPE, _OLD_DATA = "semantic:", ":params:semanticType", ":params:semanticData"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A rendered mesh, the prim that carries its label, and the category that the label names."""

    prim: Any
    owner: Any
    category: str


def rendered_gprims(stage: Any) -> Iterator[Any]:
    """Yields every gprim that a renderer shows, instances' insides too."""
    from pxr import Usd, UsdGeom

    for prim in Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies(Usd.PrimIsActive)):
        if prim.IsA(UsdGeom.Gprim) and is_rendered(prim):
            yield prim


def is_rendered(prim: Any) -> bool:
    """Whether a renderer shows the prim."""
    from pxr import UsdGeom

    imageable = UsdGeom.Imageable(prim)
    purpose = imageable.ComputePurpose()
    hidden = imageable.ComputeVisibility() == UsdGeom.Tokens.invisible
    return purpose in {UsdGeom.Tokens.default_, UsdGeom.Tokens.render} and not hidden


def class_labels(prim: Any) -> tuple[str, ...]:
    """Returns the labels of the taxonomy `class` authored on a prim: by UsdSemantics, else by the deprecated SemanticsAPI."""
    labels = labels_of(prim)
    if labels:
        return tuple(dict.fromkeys(label.lower() for label in labels))
    old = []
    for attribute in prim.GetAttributes():
        name = attribute.GetName()
        if name.startswith(_OLD_PREFIX) and name.endswith(_OLD_TYPE) and attribute.Get() == "class":
            data = prim.GetAttribute(name.removesuffix(_OLD_TYPE) + _OLD_DATA)
            if data and data.Get():
                old.append(str(data.Get()).lower())
    return tuple(dict.fromkeys(old))


def instancer_of(prim: Any) -> Any | None:
    """Returns the prim that instances this one, None where it stands for itself."""
    from pxr import UsdGeom

    above = prim
    while above and not above.IsPseudoRoot():
        if above.IsInstance() or above.IsInstanceable() or above.IsA(UsdGeom.PointInstancer):
            return above
        above = above.GetParent()
    return None


def labelled(prim: Any, renamed: Mapping[str, str]) -> Labelled | str:
    """Returns the label that a rendered gprim inherits, or a sentence on what is wrong with it."""
    path = prim.GetPath()
    owners, above = [], prim
    while above and not above.IsPseudoRoot():
        if class_labels(above):
            owners.append(above)
        above = above.GetParent()
    if not owners:
        return f"{path} has no label: apply SemanticsLabelsAPI:class to it or to one ancestor."
    if len(owners) > 1:
        return f"{path} is labelled by {owners[0].GetPath()} and by {owners[1].GetPath()}: keep one of the two."
    labels = class_labels(owners[0])
    if len(labels) > 1:
        return f"{owners[0].GetPath()} has {len(labels)} labels {list(labels)}: keep one."
    name = renamed.get(labels[0], labels[0])
    known = [category.name for category in TAXONOMY if category.kind != "void"]
    if name not in known:
        close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
        hint = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
        return f"{owners[0].GetPath()} is labelled {name!r}, which is no category{hint}: rename it, or map it."
    return Labelled(prim=prim, owner=owners[0], category=name)
