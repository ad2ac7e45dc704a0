"""The FAKE graph: what is built inside a trigger is kept, and drawn anew when its event is sent; seeded by the global seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.sim.isaac.fake_replicator.kit import FakeKit


class _Item:
    """A FAKE ReplicatorItem: something that `with` can be said of."""

    def __init__(self, owner: Randomizers, paths: tuple[str, ...] = ()) -> None:
        self._owner, self.paths = owner, paths

    def __enter__(self) -> _Item:
        self._owner.context.append(self)
        return self

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        self._owner.context.pop()


class _Event(_Item):
    name = ""


class Draw:
    """A FAKE distribution."""

    def __init__(self, draw: Callable[[np.random.Generator], Any]) -> None:
        self.draw = draw


class Randomizers:
    """Functions by their names under omni.replicator.core, and what they built."""

    def __init__(self, kit: FakeKit) -> None:
        self.kit = kit
        self.context: list[_Item] = []
        self.actions: dict[str, list[Callable[[np.random.Generator], None]]] = {}
        self._rng = np.random.default_rng()

    def seed(self, seed: int) -> None:
        """Seeds what is drawn from here on; without it nothing comes twice."""
        self._rng = np.random.default_rng(seed)

    def functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "trigger.on_custom_event": self._trigger, "utils.send_og_event": self._send,
            "distribution.uniform": lambda lower, upper, **_: Draw(lambda rng: np.array(rng.uniform(lower, upper)).tolist()),
            "distribution.normal": lambda mean, std, **_: Draw(lambda rng: np.array(rng.normal(mean, std)).tolist()),
            "distribution.choice": lambda choices, **_: Draw(lambda rng: choices[int(rng.integers(len(choices)))]),
            "get.prim_at_path": lambda path: _Item(self, tuple([path] if isinstance(path, str) else path)),
            "modify.attribute": self._attribute, "modify.pose": self._pose,
            "randomizer.materials": self._materials, "randomizer.scatter_2d": self._scatter,
        }

    def _trigger(self, event_name: str) -> _Event:
        made = _Event(self)
        made.name = event_name
        self.actions[event_name] = []
        return made

    def _send(self, event_name: str) -> None:
        for act in self.actions[event_name]:
            act(self._rng)

    def _add(self, act: Callable[[np.random.Generator, str], None]) -> None:
        event = next(item for item in self.context if isinstance(item, _Event))
        prims = self.context[-1].paths
        if not prims:
            raise RuntimeError("the fake: nothing to modify; use `with rep.get.prim_at_path(...)`")
        self.actions[event.name].append(lambda rng: [act(rng, path) for path in prims])

    def _prim(self, path: str) -> Any:
        prim = self.kit.stage.GetPrimAtPath(path)
        if not prim:
            raise RuntimeError(f"the fake: no prim {path}")
        return prim

    def _attribute(self, name: str, value: Any, attribute_type: Any = None, input_prims: Any = None) -> None:
        def act(rng: np.random.Generator, path: str) -> None:
            attribute = self._prim(path).GetAttribute(name)
            if not attribute:
                raise RuntimeError(f"the fake: {path} has no attribute {name}")
            drawn = value.draw(rng) if isinstance(value, Draw) else value
            attribute.Set(tuple(drawn) if isinstance(drawn, list) else drawn)

        self._add(act)

    def _pose(self, position: Any = None, rotation: Any = None, look_at: Any = None, **_: Any) -> None:
        from pxr import Gf, UsdGeom

        def act(rng: np.random.Generator, path: str) -> None:
            ops = {op.GetOpType(): op for op in UsdGeom.Xformable(self._prim(path)).GetOrderedXformOps()}
            if position is not None:
                place = Gf.Vec3d(*(position.draw(rng) if isinstance(position, Draw) else position))
                ops[UsdGeom.XformOp.TypeTranslate].Set(place)
            if look_at is not None:
                eye = ops[UsdGeom.XformOp.TypeTranslate].Get()
                matrix = Gf.Matrix4d().SetLookAt(eye, Gf.Vec3d(*look_at), Gf.Vec3d(0, 0, 1)).GetInverse()
                ops[UsdGeom.XformOp.TypeOrient].Set(matrix.ExtractRotationQuat())

        self._add(act)

    def _materials(self, materials: Any, **_: Any) -> None:
        from pxr import UsdShade

        def act(rng: np.random.Generator, path: str) -> None:
            chosen = materials[int(rng.integers(len(materials)))]
            UsdShade.MaterialBindingAPI.Apply(self._prim(path)).Bind(UsdShade.Material(self._prim(chosen)))

        self._add(act)

    def _scatter(self, surface_prims: Any, **_: Any) -> None:
        from pxr import Gf, Usd, UsdGeom

        paths = [surface_prims] if isinstance(surface_prims, str) else surface_prims.paths

        def act(rng: np.random.Generator, path: str) -> None:
            cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_])
            box = cache.ComputeWorldBound(self._prim(paths[0])).ComputeAlignedRange()
            low, high = box.GetMin(), box.GetMax()
            place = [float(rng.uniform(low[i], high[i])) for i in (0, 1)]
            ops = {op.GetOpType(): op for op in UsdGeom.Xformable(self._prim(path)).GetOrderedXformOps()}
            ops[UsdGeom.XformOp.TypeTranslate].Set(Gf.Vec3d(*place, high[2] + 0.1))

        self._add(act)
