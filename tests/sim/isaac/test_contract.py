"""No name of Isaac Sim in the backend that the recorded table lacks, no parameter that it has otherwise, in any version."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import sim.isaac
from sim.isaac.products import ANNOTATORS
from sim.isaac.settings import IsaacSettings
from sim.isaac.versions import VERSIONS
from tests.sim.isaac.api_table import HERE, api_table
from tests.sim.isaac.contract import ROOTS, check, check_protocols, fields_of

FOLDER = Path(sim.isaac.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
NAMES = [v.name for v in VERSIONS]


@cache
def _fields() -> dict[str, str]:
    """Returns the fields of the backend's classes that hold objects of Isaac Sim."""
    found: dict[str, str] = {}
    for module in MODULES:
        if module.stem != "kit":
            found |= fields_of(module.read_text(), api_table())
    return found


@pytest.mark.parametrize("version", NAMES)
@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_name_and_call_is_in_the_table(module: Path, version: str) -> None:
    _, problems = check(module.read_text(), api_table(version), _fields())
    assert not problems, "\n".join(f"{module.name} {p}" for p in problems)


def test_what_is_used_was_seen_at_all() -> None:
    used = {use.name for module in MODULES for use in check(module.read_text(), api_table(), _fields())[0]}
    for name in (
        "isaacsim.SimulationApp", "isaacsim.core.version.get_version", "omni.usd.get_context", "carb.settings.get_settings",
        "omni.replicator.core.orchestrator.step", "omni.replicator.core.AnnotatorRegistry.get_annotator",
        "RenderProduct.destroy", "HydraTexture.set_updates_enabled", "Annotator.get_data", "UsdContext.open_stage",
        "Timeline.get_current_time", "Settings.set", "App.update", "Writer.initialize",
    ):  # fmt: skip
        assert name in used, sorted(used)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("rep.orchestrator.stepp()", "no omni.replicator.core.orchestrator.stepp"),
        ("rep.orchestrator.step(rt_subframe=4)", "no parameter rt_subframe"),
        ("rep.orchestrator.step(4, True, 0.0, True, 1)", "takes"),
        ("rep.create.render_product('/cam')", "needs resolution"),
        ("rep.create.render_product('/cam', (1, 1)).destroi()", "RenderProduct has no destroi"),
        ("p = rep.create.render_product('/cam', (1, 1))\np.hydra_texture.enable(True)", "HydraTexture has no enable"),
        ("omni.usd.get_context().open_stage_now('a')", "UsdContext has no open_stage_now"),
        ("carb.settings.get_settings().set('a', 1, 2)", "takes 2"),
        ("from isaacsim.core.api import World", "no isaacsim.core.api.World"),
        ("from isaacsim import SimulationAp", "no isaacsim.SimulationAp"),
        ("import omni.physx", "no module omni.physx"),
        ("def f(a: Annotator) -> None:\n    a.fetch()", "Annotator has no fetch"),
        ("step = rep.orchestrator.step\nrep.orchestrator.finish", "no omni.replicator.core.orchestrator.finish"),
        ("o = rep.orchestrator\no.stepp()", "no omni.replicator.core.orchestrator.stepp"),
        ("s = rep.orchestrator.step\ns(rt_subframe=4)", "no parameter rt_subframe"),
        ("from omni.replicator import core as r\nr.create.hologram()", "no omni.replicator.core.create.hologram"),
        ("import omni.replicator.core\nomni.replicator.core.hologram()", "no omni.replicator.core.hologram"),
        ("getattr(rep.orchestrator, 'stepp')()", "hides a name"),
        ("import importlib\nimportlib.import_module('omni.physx')", "no module omni.physx"),
    ],
)
def test_an_unknown_name_or_parameter_fails(line: str, complaint: str) -> None:
    source = f"import carb.settings\nimport omni.usd\nimport omni.replicator.core as rep\n{line}\n"
    _, problems = check(source, api_table())
    assert any(complaint in p for p in problems), problems


def _mutants(source: str) -> Iterator[tuple[str, str]]:
    """Yields each name that a module uses, and the module with that name changed in the line where it stands."""
    lines = source.splitlines()
    for use in check(source, api_table(), _fields())[0]:
        word = use.name.rpartition(".")[2]
        line = lines[use.line - 1]
        changed = re.sub(rf"\b{word}\b", f"{word}q", line)
        if changed != line:
            yield f"{use.name}, line {use.line}", "\n".join([*lines[: use.line - 1], changed, *lines[use.line :]])


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_each_name_of_each_module_is_held_when_it_is_changed(module: Path) -> None:
    for name, source in _mutants(module.read_text()):
        assert check(source, api_table(), _fields())[1], name


def test_the_mutants_are_of_all_that_is_used() -> None:
    names = {name.partition(",")[0] for module in MODULES for name, _ in _mutants(module.read_text())}
    used = {use.name for module in MODULES for use in check(module.read_text(), api_table(), _fields())[0]}
    assert len(names) > 40
    assert used - names <= {"omni.replicator.core", "isaacsim"}, used - names


def test_a_name_that_is_added_fails() -> None:
    added = "\n\ndef hologram() -> None:\n    import omni.replicator.core as rep\n\n    rep.create.hologram(count=3)\n"
    for module in MODULES:
        said = check(module.read_text() + added, api_table(), _fields())[1]
        assert [p.partition(": ")[2] for p in said] == ["the table has no omni.replicator.core.create.hologram"], module


def test_wait_for_render_is_known_to_6_and_not_to_5() -> None:
    source = "import omni.replicator.core as rep\nrep.orchestrator.step(wait_for_render=False)\n"
    assert check(source, api_table("6.2"))[1] == []
    said = "line 2: omni.replicator.core.orchestrator.step has no parameter wait_for_render"
    assert check(source, api_table("5.1"))[1] == [said]


def test_the_protocols_promise_nothing_that_the_table_lacks() -> None:
    source = (FOLDER / "kit.py").read_text()
    assert check_protocols(source, api_table()) == []
    wrong = source.replace("def get_data(self)", "def get_datas(self)")
    wrong = wrong.replace("def open_stage(self, url", "def open_stage(self, path")
    assert len(check_protocols(wrong, api_table())) == 2


def test_writers_annotators_settings_and_start_up_keys_are_recorded() -> None:
    from sim.isaac.long_runs import FILES
    from sim.isaac.native import _options

    table = api_table()
    for name, options in ANNOTATORS.items():
        assert set(options) <= set(table.annotators[name])
    assert set(_options(tuple(FILES))) | {"output_dir"} <= set(table.writers["BasicWriter"])
    assert set(IsaacSettings().carb_settings()) <= set(table.settings)
    paths = {p for module in MODULES for p in re.findall(r'"(/(?:app|rtx|physics|omni|persistent)/[\w/]+)"', module.read_text())}
    assert paths <= set(table.settings), paths - set(table.settings)
    for version in VERSIONS:
        if version.name in table.launch_keys:
            assert version.launch_keys == table.launch_keys[version.name]


def test_every_entry_says_where_it_is_known_from() -> None:
    table = api_table()
    entries = [*table.entries.values(), *(m for members in table.members.values() for m in members.values())]
    for entry in entries:
        assert re.search(r"ref \d|wheel \S+\.py|https://|\.whl: \S+\.py:\d+", entry.source), entry
    assert sum(path.stat().st_size for path in HERE.iterdir()) < 200_000


def test_nothing_of_isaac_sim_is_imported_at_the_top_of_a_module() -> None:
    for module in MODULES:
        for node in ast.parse(module.read_text()).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.partition(".")[0] in (*ROOTS, "pxr", "mujoco") for name in names), (module.name, names)
