"""Object records as plain JSON values and back, exactly: what float32 box arrays cannot carry."""

from __future__ import annotations

from typing import Any

from scenes.box import OrientedBox
from scenes.taxonomy import TAXONOMY
from scenes.transforms import Pose, vec3
from sim.frame import BoxPx, ObjectTruth


def record_to_dict(record: ObjectTruth) -> dict[str, Any]:
    """Returns plain JSON values; the category goes by its name."""
    visible = record.visible_box_px
    return {
        "instance_id": int(record.instance_id),
        "category": TAXONOMY[record.category_id].name,
        "body_name": record.body_name,
        "visible_box_px": None if visible is None else [int(v) for v in visible],
        "amodal_box_px": [int(v) for v in record.amodal_box_px],
        "visible_fraction": float(record.visible_fraction),
        "box_world": record.box_world.to_dict(),
        "position_m": list(record.world_from_body.position_m),
        "quaternion_wxyz": list(record.world_from_body.quaternion_wxyz),
    }


def record_from_dict(values: dict[str, Any]) -> ObjectTruth:
    """Reads what `record_to_dict` wrote; raises LookupError, TypeError or ValueError."""
    w, x, y, z = (float(v) for v in values["quaternion_wxyz"])
    visible = values["visible_box_px"]
    return ObjectTruth(
        instance_id=int(values["instance_id"]),
        category_id=TAXONOMY.named(str(values["category"]).lower()).id,
        body_name=str(values["body_name"]),
        visible_box_px=None if visible is None else _box(visible),
        amodal_box_px=_box(values["amodal_box_px"]),
        visible_fraction=float(values["visible_fraction"]),
        box_world=OrientedBox.from_dict(values["box_world"]),
        world_from_body=Pose(vec3(values["position_m"]), (w, x, y, z)),
    )


def _box(values: Any) -> BoxPx:
    x_min, y_min, x_max, y_max = (int(v) for v in values)
    return x_min, y_min, x_max, y_max
