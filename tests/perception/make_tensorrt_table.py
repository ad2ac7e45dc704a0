"""Writes tests/perception/fake_tensorrt/tensorrt.json from the full tables, which do not lie in this repository.

    python -m tests.perception.make_tensorrt_table ../shared/reference/tensorrt-api
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.perception.tensorrt_contract import HERE, facts_of

VERSIONS = ("8.6.1", "10.3.0", "10.16.1", "11.4.0")


def full_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Reads the tables of all versions."""
    return {version: json.loads((folder / f"{version}.json").read_text()) for version in VERSIONS}


if __name__ == "__main__":
    names = set(json.loads((HERE / "tensorrt.json").read_text())) | set(sys.argv[2:])
    facts = facts_of(full_tables(Path(sys.argv[1])), names)
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts.items())
    (HERE / "tensorrt.json").write_text(f"{{\n{lines}\n}}\n")
