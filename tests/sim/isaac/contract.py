"""Holds source code against the recorded API: every chain and call that is rooted in isaacsim, omni or carb, by parsing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.sim.isaac.api_table import ApiTable, Entry

ROOTS = ("isaacsim", "omni", "carb")
_KIT = "sim.isaac.kit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One name of the API in a source file."""

    name: str
    line: int


def check(source: str, table: ApiTable, fields: dict[str, str] | None = None) -> tuple[list[Use], list[str]]:
    """Returns what a module uses and what of it the table lacks or has otherwise, with line numbers.

    `fields` are the attributes of classes elsewhere that hold objects of the table, by name.
    """
    checker = _Checker(table, _objects_of(ast.parse(source), table), fields_of(source, table) | (fields or {}))
    checker.visit(ast.parse(source))
    return checker.uses, checker.problems


def fields_of(source: str, table: ApiTable) -> dict[str, str]:
    """Returns the fields of a module's classes that are annotated with an object of the table."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        for item in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(item, ast.AnnAssign):
                found |= {ast.unparse(item.target): kind for kind in _kinds(item.annotation, table)}
    return found


def check_protocols(source: str, table: ApiTable) -> list[str]:
    """Returns what the Protocols of sim/isaac/kit.py promise and the table does not have."""
    problems = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        members = table.members.get(node.name)
        if members is None:
            problems.append(f"line {node.lineno}: the table has no object {node.name}")
            continue
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id not in members:
                problems.append(f"line {item.lineno}: {node.name} has no attribute {item.target.id}")
            if isinstance(item, ast.FunctionDef):
                problems += _method_problems(node.name, item, members.get(item.name))
    return problems


def _method_problems(owner: str, item: ast.FunctionDef, entry: Entry | None) -> Iterator[str]:
    if entry is None:
        yield f"line {item.lineno}: {owner} has no {item.name}"
        return
    known = [word.lstrip("*").partition("=")[0] for word in entry.parameters]
    for argument in [*item.args.args[1:], *item.args.kwonlyargs]:
        if argument.arg not in known and not any(word.startswith("**") for word in entry.parameters):
            yield f"line {item.lineno}: {owner}.{item.name} has no parameter {argument.arg}"


def _objects_of(tree: ast.Module, table: ApiTable) -> dict[str, str]:
    """Returns the kit objects that variables and attributes of a module are annotated with, by their text."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            found |= {ast.unparse(node.target): kind for kind in _kinds(node.annotation, table)}
        if isinstance(node, ast.arg) and node.annotation is not None:
            name = node.arg
            found.update((name, kind) for kind in _kinds(node.annotation, table))
    return found


def _kinds(annotation: ast.expr, table: ApiTable) -> Iterator[str]:
    text = ast.unparse(annotation)
    if text in table.members:
        yield text


class _Checker(ast.NodeVisitor):
    """Follows names bound by import, and by assignment from a call whose object the table knows."""

    def __init__(self, table: ApiTable, objects: dict[str, str], fields: dict[str, str]) -> None:
        self.table, self.objects, self.fields = table, dict(objects), fields
        self.uses: list[Use] = []
        self.problems: list[str] = []
        self.names: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.partition(".")[0] in ROOTS:
                self._assert_module(alias.name, node.lineno)
                if alias.asname:
                    self.names[alias.asname] = alias.name
                else:
                    self.names[alias.name.partition(".")[0]] = alias.name.partition(".")[0]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module.partition(".")[0] in ROOTS:
            for alias in node.names:
                self.names[alias.asname or alias.name] = self._use(f"{module}.{alias.name}", node.lineno)

    def visit_Assign(self, node: ast.Assign) -> None:
        kind = self._object_of(node.value)
        if kind:
            self.objects |= {ast.unparse(target): kind for target in node.targets}
        elif (name := self._name(node.value)) is not None:  # another name of a module or function
            self.names |= {target.id: name for target in node.targets if isinstance(target, ast.Name)}
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._refuse_what_hides(node)
        entry = self._entry(node.func)
        if entry is not None:
            self._hold(entry, node)
        for child in [*node.args, *(k.value for k in node.keywords)]:
            self.visit(child)
        self.visit(node.func)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        kind = self._object_of(node.value)
        if kind:
            if node.attr not in self.table.members[kind]:
                self.problems.append(f"line {node.lineno}: {kind} has no {node.attr} in the table")
            self.uses.append(Use(name=f"{kind}.{node.attr}", line=node.lineno))
        elif (name := self._name(node)) is not None:
            if not self.table.has_module(name):
                self._use(name, node.lineno)
            return
        self.generic_visit(node)

    def _name(self, node: ast.expr) -> str | None:
        """Returns the full name of a chain of attributes that starts at an imported name."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute) and (start := self._name(node.value)) is not None:
            return f"{start}.{node.attr}"
        return None

    def _object_of(self, node: ast.expr) -> str:
        """Returns the table's object that an expression is, "" where it is none that it follows."""
        if isinstance(node, ast.Call):
            entry = self._entry(node.func)
            return entry.object if entry is not None and entry.object in self.table.members else ""
        text = ast.unparse(node)
        if text in self.objects:
            return self.objects[text]
        if isinstance(node, ast.Attribute) and (kind := self._object_of(node.value)):
            member = self.table.members[kind].get(node.attr)
            return member.object if member is not None and member.object in self.table.members else ""
        if isinstance(node, ast.Attribute) and self._name(node) is None:
            return self.fields.get(node.attr, "")
        return ""

    def _entry(self, function: ast.expr) -> Entry | None:
        if isinstance(function, ast.Attribute) and (kind := self._object_of(function.value)):
            return self.table.members[kind].get(function.attr)
        name = self._name(function)
        return None if name is None else self.table.entries.get(name)

    def _hold(self, entry: Entry, node: ast.Call) -> None:
        parameters = [word for word in entry.parameters if not word.startswith("*")]
        names = {word.lstrip("*").partition("=")[0] for word in entry.parameters}
        if len(node.args) > len(parameters):
            self.problems.append(
                f"line {node.lineno}: {entry.name} takes {len(parameters)} arguments, {len(node.args)} are given"
            )
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in names and not any(w.startswith("**") for w in entry.parameters):
                self.problems.append(f"line {node.lineno}: {entry.name} has no parameter {keyword.arg}")
        given = {k.arg for k in node.keywords} | {w.partition("=")[0] for w in parameters[: len(node.args)]}
        needed = {w.lstrip("*") for w in entry.parameters if "=" not in w and not w.startswith("**")}
        if needed - given and None not in given:
            self.problems.append(f"line {node.lineno}: {entry.name} needs {', '.join(sorted(needed - given))}")

    def _refuse_what_hides(self, node: ast.Call) -> None:
        """Notes calls by which a name of the API would escape this check."""
        called, first = ast.unparse(node.func).rpartition(".")[2], node.args[0] if node.args else None
        imported = str(first.value) if isinstance(first, ast.Constant) else ""
        if called in {"import_module", "__import__"} and imported.partition(".")[0] in ROOTS:
            self._assert_module(imported, node.lineno)
            self.problems.append(f"line {node.lineno}: import {imported} by a statement, so that it can be followed")
        if called in {"getattr", "setattr"} and first is not None and (self._name(first) or self._object_of(first)):
            self.problems.append(f"line {node.lineno}: {ast.unparse(node)} hides a name from this check")

    def _use(self, name: str, line: int) -> str:
        self.uses.append(Use(name=name, line=line))
        if name not in self.table.entries and not self.table.has_module(name):
            self.problems.append(f"line {line}: the table has no {name}")
        return name

    def _assert_module(self, name: str, line: int) -> None:
        if not self.table.has_module(name):
            self.problems.append(f"line {line}: the table has no module {name}")
