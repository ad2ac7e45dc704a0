"""Makes tests/sim/isaac/api/isaacsim.json from the vendor's published wheels, by parsing; nothing of them is imported.

    for v in 6.0.1.0 6.1.0.0 6.2.0.0; do for p in core kernel app replicator sensor; do
      pip download isaacsim-$p==$v --no-deps --only-binary=:all: --python-version 3.12 \
        --platform manylinux_2_35_x86_64 -d wheels/$v; done; done
    python scripts/isaac_api_table.py wheels tests/sim/isaac/api/isaacsim.json

Recorded are the modules below: what the backend uses, and its neighbours. Each name has its parameters by version, and the
file and line of the newest wheel that it was read from.
"""

from __future__ import annotations

import ast
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Public module -> the file in the wheels that defines its names.
_EXTS = "isaacsim/exts/{ext}/{path}"
MODULES = {
    "isaacsim": _EXTS.format(ext="isaacsim.simulation_app", path="isaacsim/simulation_app/simulation_app.py"),
    "isaacsim.core.version": _EXTS.format(ext="isaacsim.core.version", path="isaacsim/core/version/extension.py"),
    "isaacsim.core.simulation_manager": _EXTS.format(
        ext="isaacsim.core.simulation_manager", path="isaacsim/core/simulation_manager/impl/simulation_manager.py"
    ),
    **{
        f"isaacsim.core.experimental.utils.{name}": _EXTS.format(
            ext="isaacsim.core.experimental.utils", path=f"isaacsim/core/experimental/utils/impl/{name}.py"
        )
        for name in ("app", "semantics", "stage", "xform")
    },
}
# What a module defines and its package does not offer.
_NOT_OFFERED = {"isaacsim": {"SimulationApp"}}


def main(arguments: list[str]) -> int:
    """Reads WHEELS/VERSION/*.whl and writes the table; returns 0."""
    wheels, out = Path(arguments[0]), Path(arguments[1])
    versions = {folder.name: folder for folder in sorted(wheels.iterdir()) if list(folder.glob("*.whl"))}
    table: dict[str, Any] = {}
    for version, folder in versions.items():
        for wheel in sorted(folder.glob("*.whl")):
            for module, path, tree in _modules(wheel):
                for name, entry in _entries(module, tree):
                    known = table.setdefault(name, {"kind": entry.pop("kind"), "versions": {}})
                    known["source"] = f"{wheel.name}: {path}:{entry.pop('line')}"
                    known["versions"][version] = entry
    for entry in table.values():
        _fold(entry)
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table))
    out.write_text("{\n" + rows + "\n}\n")
    print(f"{out}: {len(table)} names of {', '.join(versions)}")
    return 0


def _modules(wheel: Path) -> Iterator[tuple[str, str, ast.Module]]:
    with zipfile.ZipFile(wheel) as archive:
        here = set(archive.namelist())
        for module, path in MODULES.items():
            if path in here:
                yield module, path, ast.parse(archive.read(path))


def _entries(module: str, tree: ast.Module) -> Iterator[tuple[str, dict[str, Any]]]:
    offered = _NOT_OFFERED.get(module)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name.startswith("_") or (offered and node.name not in offered):
                continue
            if isinstance(node, ast.ClassDef):
                yield from _of_class(f"{module}.{node.name}", node)
            else:
                yield f"{module}.{node.name}", _of_function(node)


def _of_class(name: str, node: ast.ClassDef) -> Iterator[tuple[str, dict[str, Any]]]:
    methods = [item for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    start = next((m for m in methods if m.name == "__init__"), None)
    made = {"kind": "class", "line": node.lineno, "parameters": _parameters(start, bound=True) if start else []}
    yield name, made
    for method in methods:
        if not method.name.startswith("_"):
            yield f"{name}.{method.name}", _of_function(method, bound=not _is_static(method))
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name) and isinstance(item.value, ast.Dict):
            values = {ast.literal_eval(k): ast.unparse(v) for k, v in zip(item.value.keys, item.value.values, strict=True) if k}
            yield f"{name}.{item.targets[0].id}", {"kind": "dict", "line": item.lineno, "items": values}


def _of_function(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool = False) -> dict[str, Any]:
    kind = "async function" if isinstance(node, ast.AsyncFunctionDef) else "function"
    if any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list):
        kind = "property"
    return {"kind": kind, "line": node.lineno, "parameters": _parameters(node, bound=bound)}


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> list[str]:
    """Returns "name", "name=default", "*name" for keyword only, "**name" for any keyword."""
    plain = [*node.args.posonlyargs, *node.args.args]
    defaults = [None] * (len(plain) - len(node.args.defaults)) + list(node.args.defaults)
    words = [p.arg + (f"={ast.unparse(d)}" if d is not None else "") for p, d in zip(plain, defaults, strict=True)]
    words = words[1:] if bound else words
    for p, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        words.append(f"*{p.arg}" + (f"={ast.unparse(d)}" if d is not None else ""))
    return words + ([f"**{node.args.kwarg.arg}"] if node.args.kwarg else [])


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)


def _fold(entry: dict[str, Any]) -> None:
    """Puts what is the same in all versions once, under the list of them."""
    facts = list(entry["versions"].values())
    if all(fact == facts[0] for fact in facts):
        entry["versions"] = list(entry["versions"])
        entry.update(facts[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
