"""What an MCAP recording may hold: every topic with its schema, and which of them a run writes, fixed before it begins."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.errors import UnknownNameError

# What may be chosen; everything else is small and always written. `every` writes repeats again instead of naming them.
GROUPS = ("image", "preview", "depth", "ids", "boxes", "truth")
EVERY = "every"
DEFAULT = GROUPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic: its schema's name (foxglove.* in protobuf, rehearse.* in JSON), its group (None = always) and what it is."""

    name: str
    schema: str
    group: str | None
    what: str


TOPICS = {
    topic.name: topic
    for topic in (
        Topic(name="/outcome", schema="rehearse.Outcome", group=None, what="one per due frame: outcome and every stamp"),
        Topic(name="/log", schema="foxglove.Log", group=None, what="begin, end, faults, and every frame that was missed"),
        Topic(name="/telemetry", schema="rehearse.Telemetry", group=None, what="what the device measured of itself"),
        Topic(name="/tf", schema="foxglove.FrameTransforms", group=None, what="world to camera"),
        Topic(name="/camera/calibration", schema="foxglove.CameraCalibration", group=None, what="K, P and the lens"),
        Topic(name="/camera/preview", schema="foxglove.CompressedImage", group="preview", what="JPEG, lossy: to look at"),
        Topic(name="/camera/image", schema="foxglove.RawImage", group="image", what="rgb8, as it was sent"),
        Topic(name="/dataset/frame", schema="rehearse.Frame", group="image", what="name, camera and objects of an image"),
        Topic(name="/answer/ids", schema="foxglove.RawImage", group="ids", what="16UC1, segment ids, 0 = void"),
        Topic(name="/answer/segments", schema="rehearse.Segments", group="ids", what="category, score, box of each id"),
        Topic(name="/answer/depth", schema="foxglove.RawImage", group="depth", what="32FC1, metres, as answered"),
        Topic(name="/answer/boxes", schema="foxglove.SceneUpdate", group="boxes", what="3D boxes in the camera frame"),
        Topic(name="/answer/annotations", schema="foxglove.ImageAnnotations", group="boxes", what="2D boxes and names"),
        Topic(name="/truth/depth", schema="foxglove.RawImage", group="truth", what="32FC1, metres, inf = nothing"),
        Topic(name="/truth/semantic", schema="foxglove.RawImage", group="truth", what="mono8, category ids"),
        Topic(name="/truth/instance", schema="foxglove.RawImage", group="truth", what="16UC1, instance ids"),
        Topic(name="/truth/boxes", schema="foxglove.SceneUpdate", group="truth", what="3D boxes in the world"),
    )
}


@dataclass(frozen=True, slots=True)
class Selection:
    """The groups that a recording has; with `every` maps that repeat an earlier answer are written again."""

    groups: tuple[str, ...] = DEFAULT
    every: bool = False

    def has(self, topic: str) -> bool:
        """Whether a topic is written."""
        group = TOPICS[topic].group
        return group is None or group in self.groups


def parse_selection(text: str) -> Selection:
    """Reads `image,depth,every`, `all` or `none`; raises UnknownNameError."""
    names = [name for name in text.split(",") if name]
    known = (*GROUPS, EVERY, "all", "none")
    for name in names:
        if name not in known:
            raise UnknownNameError("group of topics", name, known)
    groups = GROUPS if "all" in names else tuple(group for group in GROUPS if group in names)
    if not groups and EVERY in names:
        groups = DEFAULT
    return Selection(groups=groups, every=EVERY in names)
