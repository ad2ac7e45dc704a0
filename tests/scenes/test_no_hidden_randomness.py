"""Nothing in `scenes` and `sim` draws from a global generator, a clock, the system or a set's order."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for room in ("scenes", "sim") for path in (ROOT / room).rglob("*.py"))
BANNED_MODULES = {"random", "secrets", "uuid", "time", "datetime"}
# Of numpy.random only what is built from an explicit seed.
ALLOWED_NUMPY = {"Generator", "PCG64", "SeedSequence"}
BANNED_CALLS = {"urandom", "getrandom", "hash", "id", "getpid", "uuid1", "uuid4"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
# What walks through its argument in order and hands that order on.
ORDERED_BY = {"list", "tuple", "enumerate", "iter", "next", "zip", "map", "reversed", "join", "array", "asarray", "concatenate"}
# What decides no byte of a frame: how long a run took, the name of a folder that only this process uses, and the token
# of a run's own Ray cluster.
EXCUSED = {
    "sim/_digests.py": {"hash((self._number, self._form, self._data))"},  # of equal values, never kept
    "sim/isaac/native.py": {"os.getpid()"},
    "sim/selftest/run.py": {"time"},
    "sim/generate.py": {"time"},
    "sim/convert.py": {"time"},
    "sim/running/merge.py": {"time"},
    "sim/running/publish.py": {"os.getpid()"},
    "sim/running/ray_executor.py": {"secrets"},
}


def offences(source):
    tree = ast.parse(source)
    yield from hidden_state(tree)
    yield from set_order(tree)


def hidden_state(tree):
    for node in ast.walk(tree):
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
            name = called(node)
            if name in BANNED_CALLS or (name in {"default_rng", "SeedSequence"} and not node.args and not node.keywords):
                yield ast.unparse(node)


def set_order(tree):
    """Yields what takes the order of a set, which depends on the hash seed of the process for strings."""
    sets = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and is_set(node.value, frozenset())
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        walked = []
        if isinstance(node, ast.For):
            walked = [node.iter]
        elif isinstance(node, ast.ListComp | ast.GeneratorExp | ast.DictComp):
            walked = [generator.iter for generator in node.generators]
        elif isinstance(node, ast.Starred):
            walked = [node.value]
        elif isinstance(node, ast.Call) and called(node) in ORDERED_BY:
            walked = node.args
        yield from (f"order of {ast.unparse(part)}" for part in walked if is_set(part, sets) and not unordered_use(tree, node))


def unordered_use(tree, node):
    """Whether a generator's result does not depend on the order in which it is made, or is put in order at once."""
    safe = {"sorted", "any", "all", "sum", "min", "max", "len", "set", "frozenset"}
    if not isinstance(node, ast.GeneratorExp | ast.ListComp):
        return False
    return any(isinstance(outer, ast.Call) and called(outer) in safe and node in outer.args for outer in ast.walk(tree))


def called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def is_set(node, names):
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        return called(node) in {"set", "frozenset"} | SET_METHODS
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor)
        and (is_set(node.left, names) or is_set(node.right, names))
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_module_hides_no_randomness(path):
    found = set(offences(path.read_text(encoding="utf-8")))
    assert found == EXCUSED.get(path.relative_to(ROOT).as_posix(), set())


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
        "for name in {'cup', 'fork'}: place(name)",
        "names = [n for n in set(all_names)]",
        "kinds = set(names)\nfor kind in kinds: place(kind)",
        "rows = list({1, 2} | others)",
        "', '.join(frozenset(names))",
        "chosen = (*set(names),)",
        "table = {k: 0 for k in first.intersection(second)}",
    ],
)
def test_the_lint_sees(source):
    assert list(offences(source)) != []


@pytest.mark.parametrize(
    "source",
    [
        "rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(1,)))",
        "for name in sorted(set(names)): place(name)",
        "known = {'cup'}\nassert name in known",
        "shown = sorted(n for n in set(names) if n)",
        "if len(set(names)) != len(names): stop()",
        "for name in dict.fromkeys(names): place(name)",
    ],
)
def test_the_lint_allows(source):
    assert list(offences(source)) == []
