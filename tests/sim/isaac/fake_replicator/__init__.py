"""A FAKE of Isaac Sim and its Replicator for tests: names and signatures of the recorded table, pictures by MuJoCo.

It proves nothing about Isaac Sim itself: only that our backend asks for names that exist and reads answers of the recorded
types and conventions. Ids are numbered at random in every frame, labels come in lower case, boxes are inclusive and in any
order, transforms are row-vector, occlusion is -1, and frames can be made stale.
"""

from tests.sim.isaac.fake_replicator.install import installed
from tests.sim.isaac.fake_replicator.kit import FakeKit

__all__ = ["FakeKit", "installed"]
