"""Follows every name of TensorRT and of CUDA in a source file, and holds each against the recorded tables, version by version."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "fake_tensorrt"
_TRT, _RT = ("trt", "library.trt"), ("rt", "self._rt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name of TensorRT, such as `ICudaEngine.num_io_tensors`, or of CUDA, in a source file."""

    name: str
    line: int


@cache
def tensorrt_table() -> dict[str, dict[str, Any]]:
    """Returns the recorded names, by `Class.member` or the name of a class or function: versions, kind, parameters, returns."""
    table: dict[str, dict[str, Any]] = json.loads((HERE / "tensorrt.json").read_text())
    return table


@cache
def cuda_table() -> dict[str, Any]:
    """Returns the recorded names of cuda-python."""
    table: dict[str, Any] = json.loads((HERE / "cuda.json").read_text())
    return table


def versions() -> tuple[str, ...]:
    """Returns the versions of TensorRT that are recorded."""
    return tuple(tensorrt_table()["IExecutionContext"]["versions"])


def check(source: str, version: str) -> tuple[list[Use], list[str]]:
    """Returns what a module uses, and what of it that version lacks without being asked for first, or has otherwise."""
    checker = _Checker(version)
    checker.visit(ast.parse(source))
    return checker.uses, checker.problems


def check_protocols(source: str, version: str) -> tuple[list[Use], list[str]]:
    """Returns what the Protocols of perception/_tensorrt_api.py promise, and what of it a version lacks."""
    table, uses, problems = tensorrt_table(), [], []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for name, line, parameters in _promises(node):
            full = f"{node.name}.{name}"
            uses.append(Use(name=full, line=line))
            fact = table.get(full)
            if fact is None or version not in fact["versions"]:
                problems.append(f"line {line}: TensorRT {version} has no {full}")
            elif (fact["kind"] == "property") != (parameters is None):
                problems.append(f"line {line}: {full} is a {fact['kind']}")
            elif parameters is not None and not _agree(parameters, fact["parameters"]):
                problems.append(f"line {line}: {full} takes {fact['parameters']}, not {parameters}")
    return uses, problems


def _promises(node: ast.ClassDef) -> Iterator[tuple[str, int, list[str] | None]]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign):
            yield ast.unparse(item.target), item.lineno, None
        elif isinstance(item, ast.FunctionDef):
            is_property = any(ast.unparse(d) == "property" for d in item.decorator_list)
            yield item.name, item.lineno, None if is_property else [a.arg for a in item.args.args[1:]]


def _agree(promised: list[str], recorded: list[str] | None) -> bool:
    """Whether the promised parameters are the first of the recorded ones, and the rest have defaults; None says nothing."""
    if recorded is None:
        return True
    names = [word.partition("=")[0] for word in recorded]
    return promised == names[: len(promised)] and all("=" in word for word in recorded[len(promised) :])


class _Checker(ast.NodeVisitor):
    """Knows what a variable is from its annotation, from a call that made it, and from what it was assigned."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.table, self.cuda = tensorrt_table(), cuda_table()
        self.classes = {name for name, fact in self.table.items() if fact["kind"] == "class"}
        self.uses: list[Use] = []
        self.problems: list[str] = []
        self._objects: dict[str, str] = {}
        self._asked: set[str] = set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before, asked = dict(self._objects), set(self._asked)
        for argument in [*node.args.args, *node.args.kwonlyargs]:
            self._note(argument.arg, argument.annotation)
        self._asked |= {a for a in (self._question(n) for n in ast.walk(node)) if a}
        self.generic_visit(node)
        fields = {text: kind for text, kind in self._objects.items() if text.startswith("self.")}
        self._objects, self._asked = before | fields, asked

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._note(ast.unparse(node.target), node.annotation)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for one, value in pairs:
                if (kind := self._kind(value)).startswith("object "):
                    self._objects[ast.unparse(one)] = kind.removeprefix("object ")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._refuse_what_hides(node)
        name = self._full_name(node.func)
        if name.endswith(".__init__") and name in self.table:  # of a base class, which is given self
            self._hold(name, ["self", *self.table[name]["parameters"]], node)
        elif name in self.classes and f"{name}.__init__" in self.table:
            self._hold(f"{name}.__init__", self.table[f"{name}.__init__"]["parameters"], node)
        elif name in self.table and self.table[name]["kind"] == "function":
            self._hold(name, self.table[name]["parameters"], node)
        elif name in self.cuda["functions"]:
            self._hold(name, self.cuda["functions"][name], node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._full_name(node)
        if name:
            self.uses.append(Use(name=name, line=node.lineno))
            if name.startswith("cuda:"):
                self._complain_of_cuda(name, node.lineno)
            elif name in self.cuda["functions"]:
                pass
            elif name not in self.table:
                self.problems.append(f"line {node.lineno}: no version of TensorRT has {name}")
            elif self.version not in self.table[name]["versions"] and name not in self._asked:
                self.problems.append(f"line {node.lineno}: TensorRT {self.version} has no {name}, and it is not asked for first")
        self.generic_visit(node)

    def _complain_of_cuda(self, name: str, line: int) -> None:
        if self._cuda_kind(name.removeprefix("cuda:")) is None:
            self.problems.append(f"line {line}: cuda-python has no {name.removeprefix('cuda:')}")

    def _cuda_kind(self, name: str) -> str | None:
        owner, _, member = name.partition(".")
        if member:
            return "member" if member in self.cuda["enums"].get(owner, ()) else None
        return next((kind for kind in ("functions", "constants", "enums") if owner in self.cuda[kind]), None)

    def _full_name(self, node: ast.expr) -> str:
        """Returns the table's name of an expression; of CUDA's functions the bare name where the expression is called."""
        if not isinstance(node, ast.Attribute):
            return ""
        text, owner = ast.unparse(node), ast.unparse(node.value)
        if text in _TRT or text in _RT:
            return ""
        if owner in _TRT:
            return "" if node.attr == "__version__" else node.attr
        if owner in _RT:
            return node.attr if node.attr in self.cuda["functions"] else f"cuda:{node.attr}"
        kind = self._kind(node.value)
        if kind.startswith(("object ", "class ")):
            return f"{kind.partition(' ')[2]}.{node.attr}"
        if isinstance(node.value, ast.Attribute) and ast.unparse(node.value.value) in _RT:
            return f"cuda:{node.value.attr}.{node.attr}"
        return ""

    def _kind(self, node: ast.expr) -> str:
        """Returns `object X`, `class X` or nothing."""
        text = ast.unparse(node)
        if text in self._objects:
            return f"object {self._objects[text]}"
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in _TRT:
            return f"class {node.attr}"
        if isinstance(node, ast.Call):
            name = self._full_name(node.func)
            made = name if name in self.classes else self.table.get(name, {}).get("returns", "")
            return f"object {made}" if made in self.classes else ""
        return ""

    def _note(self, text: str, annotation: ast.expr | None) -> None:
        words = set() if annotation is None else {n.id for n in ast.walk(annotation) if isinstance(n, ast.Name)}
        found = words & self.classes
        if len(found) == 1:
            self._objects[text] = found.pop()

    def _question(self, node: ast.AST) -> str:
        """Returns the name that a `hasattr` asks for."""
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hasattr" and isinstance(node.args[1], ast.Constant):
            kind = self._kind(node.args[0])
            return f"{kind.partition(' ')[2]}.{node.args[1].value}" if kind else ""
        return ""

    def _refuse_what_hides(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        if (asked := self._question(node)) and asked not in self.table:
            self.problems.append(f"line {node.lineno}: no version of TensorRT has {asked}")
        if called in {"getattr", "setattr"} and (self._kind(node.args[0]) or ast.unparse(node.args[0]) in (*_TRT, *_RT)):
            self.problems.append(f"line {node.lineno}: {ast.unparse(node)} hides a name from this check")

    def _hold(self, name: str, parameters: list[str] | None, node: ast.Call) -> None:
        if parameters is None:  # the module does not tell
            return
        names = [word.partition("=")[0] for word in parameters]
        if len(node.args) > len(names) or any(k.arg not in names for k in node.keywords):
            self.problems.append(f"line {node.lineno}: {name} takes {parameters}")
        given = {*names[: len(node.args)], *(k.arg for k in node.keywords)}
        if missing := {word for word in parameters if "=" not in word} - given:
            self.problems.append(f"line {node.lineno}: {name} needs {', '.join(sorted(missing))}")


def facts_of(tables: Mapping[str, Mapping[str, Any]], wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Returns what tensorrt.json has to hold for these names, from the full tables by version; raises KeyError for none."""
    return {name: _fact(tables, name) for name in sorted(wanted)}


def _fact(tables: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    owner, _, member = name.partition(".")
    found = {}
    for version, table in tables.items():
        entry = table.get(owner)
        if entry is not None and not member:
            found[version] = ("class" if entry["kind"] == "class" else "function", entry.get("signature"))
        elif entry is not None and member in entry.get("enum", {}):
            found[version] = ("number", entry["enum"][member])
        elif entry is not None and member in entry.get("members", {}):
            found[version] = _member(entry["members"][member])
    kinds = {kind for kind, _ in found.values()}
    if len(kinds) != 1:
        raise KeyError(f"{name}: {kinds or 'in no table'}")
    kind = kinds.pop()
    if kind == "number":
        return {"kind": kind, "versions": list(found), "numbers": {v: number for v, (_, number) in found.items()}}
    told = [text for _, text in found.values() if text and "(" in text]
    signature = _signature(told[-1]) if told else {"parameters": None, "returns": ""}
    # What TensorRT tells of one version and not of another is the same method, wrapped in Python.
    return {"kind": kind, "versions": list(found), **({} if kind in ("class", "property") else signature)}


def _member(text: str) -> tuple[str, str | None]:
    if text == "property":
        return "property", None
    return ("constant", None) if text == "Severity" else ("function", text)


def _signature(text: str) -> dict[str, Any]:
    """Returns the parameters, without self, each `name` or `name=`, and the class that is returned."""
    inside, _, returns = text.partition("(")[2].rpartition(" -> ")
    words, depth, word = [], 0, ""
    for c in inside.rstrip(")").rstrip() + ",":
        depth += (c in "([<{") - (c in ")]>}")
        if c == "," and depth <= 0:
            words.append(word.strip())
            word = ""
        else:
            word += c
    parameters = [w.partition(":")[0].strip() + ("=" if " = " in w else "") for w in words if w]
    made = returns.rpartition(".")[2].replace("nvonnxparser::I", "")
    return {"parameters": [p for p in parameters if p != "self"], "returns": made}
