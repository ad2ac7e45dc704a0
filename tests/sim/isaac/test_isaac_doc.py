"""The page for the Isaac Sim user says what the code does: settings with their defaults, versions, commands that parse."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

import rehearse
from sim.isaac.randomise import KINDS
from sim.isaac.settings import IsaacSettings
from sim.isaac.versions import VERSIONS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "isaac-sim.md").read_text(encoding="utf-8")
WORDS = {True: "on", False: "off", None: "none"}


def test_every_setting_stands_there_with_its_default():
    table = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \| ", PAGE, re.MULTILINE))
    defaults = {f.name: f.default for f in fields(IsaacSettings)}
    assert table == {name: str(WORDS.get(value, value) if not isinstance(value, int) or isinstance(value, bool) else value)
                     for name, value in defaults.items()}  # fmt: skip


def test_every_version_stands_there_as_it_is_in_the_code():
    for v in VERSIONS:
        python = ".".join(map(str, v.python))
        row = (
            f"| {v.name} | {python} | {v.replicator} | {len(v.launch_keys)} keys | {', '.join(v.renderers)} | "
            f"{'yes' if v.close_takes_exit_code else 'no'} |"
        )
        assert row in PAGE, row


def test_every_randomisation_is_explained():
    assert set(re.findall(r"^\| `(\w+)` \| [^`|]+ \| ", PAGE, re.MULTILINE)) >= set(KINDS)


@pytest.mark.parametrize("line", re.findall(r"^    (?:\S*/)?rehearse(?:\.py)? .*$", PAGE, re.MULTILINE))
def test_every_command_parses(line):
    words = shlex.split(line.partition("&")[0], comments=True)[1:]
    arguments = rehearse.build_parser().parse_args(words)
    IsaacSettings.parse(arguments.isaac if hasattr(arguments, "isaac") else [])


@cache
def _sentences() -> str:
    """Returns all strings of the backend's code, with a gap where a value is put in."""
    found = []
    for path in (DOCS.parent / "sim" / "isaac").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append("~".join(str(p.value) for p in node.values if isinstance(p, ast.Constant)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def test_the_messages_that_are_explained_exist():
    said = re.findall(r'"([^"|]+)"', " ".join(re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", PAGE, re.MULTILINE)))
    assert len(said) > 10
    for message in said:
        for part in re.split(r"\.\.\.|[\d\[\]]+(?:\.\d+)?|: ...|EULA", message):
            assert part.strip(" ,:.") in _sentences(), part


def test_the_page_is_linked_and_links_are_there():
    for page in ("../README.md", "commands.md", "selftest.md", "data-format.md"):
        assert "isaac-sim.md" in (DOCS / page).read_text(encoding="utf-8"), page
    for link in re.findall(r"\]\(([\w-]+\.md)(?:#[\w-]+)?\)", PAGE):
        assert (DOCS / link).exists(), link
    assert "Nothing here has been run on Isaac Sim by us" in PAGE
