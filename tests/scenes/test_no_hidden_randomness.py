"""No module of `scenes` draws from a global generator, a clock or the system: the same arguments give the same scene."""

import ast
from pathlib import Path

import pytest

SCENES = Path(__file__).resolve().parents[2] / "scenes"
BANNED_MODULES = {"random", "secrets", "uuid", "time", "datetime"}
# Of numpy.random only what is built from an explicit seed.
ALLOWED_NUMPY = {"Generator", "PCG64", "SeedSequence"}
BANNED_CALLS = {"urandom", "getrandom", "hash", "id", "getpid"}


def offences(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in BANNED_MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] in BANNED_MODULES:
                yield node.module
            if node.module == "numpy.random":
                yield from (a.name for a in node.names if a.name not in ALLOWED_NUMPY | {"default_rng"})
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            if node.attr not in ALLOWED_NUMPY | {"default_rng"}:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in BANNED_CALLS or (name in {"default_rng", "SeedSequence"} and not node.args and not node.keywords):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", sorted(SCENES.rglob("*.py")), ids=lambda p: str(p.relative_to(SCENES)))
def test_module_hides_no_randomness(path):
    assert list(offences(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from uuid import uuid4",
        "import time as t",
        "np.random.uniform(0, 1)",
        "numpy.random.seed(0)",
        "np.random.default_rng()",
        "from numpy.random import choice",
        "os.urandom(4)",
        "hash('cup')",
    ],
)
def test_the_lint_sees(source):
    assert list(offences(source)) != []


def test_the_lint_allows_an_explicit_seed():
    assert list(offences("rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1,)))")) == []
