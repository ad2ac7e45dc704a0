"""Points are shared within a shell and never between two: seams close, touching boxes stay apart."""

from __future__ import annotations

import numpy as np

from scenes._usd_shells import shells, welded
from scenes.meshes import cuboid, joined, lathe, moved
from scenes.transforms import Pose


def edge_counts(faces: np.ndarray) -> np.ndarray:
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    return np.unique(ends, axis=0, return_counts=True)[1]


def test_boxes_that_share_an_edge_a_face_or_a_corner_stay_closed_each():
    box = cuboid((0.5, 0.5, 0.5))
    for offset in ((1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 1.0)):
        points, faces, keep = welded(joined([box, moved(box, Pose(offset))]))
        assert keep.all()
        assert len(points) == 16
        assert set(edge_counts(faces)) == {2}
        assert len(np.unique(points, axis=0)) == 16
        assert len(set(shells(faces, faces))) == 2
        plain = joined([box, moved(box, Pose(offset))])
        assert 0 < np.abs(points[faces] - plain.vertices[plain.faces]).max() < 2e-5


def test_a_seam_is_closed_and_the_points_are_where_they_were():
    solid = lathe([(0.0, 0.0), (0.05, 0.0), (0.05, 0.1), (0.0, 0.1)])
    points, faces, keep = welded(solid)
    assert set(edge_counts(faces)) == {2}
    assert len(set(shells(faces, faces))) == 1
    np.testing.assert_array_equal(points[faces], solid.vertices.astype(np.float32)[solid.faces[keep]])
