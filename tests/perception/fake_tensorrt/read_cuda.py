"""Prints what the installed cuda-python has of the names in cuda.json; run it in an environment of each version.

    python tests/perception/fake_tensorrt/read_cuda.py        # without a GPU: nothing of CUDA is called
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def read_cuda(wanted: dict[str, Any]) -> dict[str, Any]:
    """Returns the facts of this Python's cuda-python for the wanted names: parameters, numbers and attributes."""
    try:
        from cuda.bindings import runtime as rt
    except ImportError:
        from cuda import cudart as rt
    functions = {}
    for name in wanted["functions"]:
        line = (getattr(rt, name).__doc__ or "").strip().splitlines()[0]
        inside = re.fullmatch(rf"{name}\((.*)\)", line).group(1)
        functions[name] = [word.split(":")[0].split()[-1] for word in inside.split(",") if word]
    return {
        "functions": functions,
        "constants": {name: int(getattr(rt, name)) for name in wanted["constants"]},
        "enums": {e: {m: int(getattr(getattr(rt, e), m)) for m in members} for e, members in wanted["enums"].items()},
        "attributes": {c: [a for a in names if hasattr(getattr(rt, c)(), a)] for c, names in wanted["attributes"].items()},
    }


if __name__ == "__main__":
    print(json.dumps(read_cuda(json.loads((HERE / "cuda.json").read_text())), indent=1, sort_keys=True))
