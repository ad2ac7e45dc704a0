"""A lazy package loads a module when one of its names is asked for, and not before."""

import importlib
import sys

import pytest

INIT = """
from scenes.lazy import lazy_names

_HOME = {"Cup": "crockery.cup"}
__all__ = ["Cup"]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
"""


@pytest.fixture
def crockery(tmp_path, monkeypatch):
    (tmp_path / "crockery").mkdir()
    (tmp_path / "crockery" / "__init__.py").write_text(INIT)
    (tmp_path / "crockery" / "cup.py").write_text("class Cup: ...")
    (tmp_path / "crockery" / "plate.py").write_text("class Plate: ...")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("crockery")
    for name in [name for name in sys.modules if name.partition(".")[0] == "crockery"]:
        del sys.modules[name]


def test_a_module_is_loaded_with_its_first_name(crockery):
    assert "crockery.cup" not in sys.modules
    cup = crockery.Cup
    assert cup is sys.modules["crockery.cup"].Cup is crockery.Cup


def test_names_are_listed_before_they_are_loaded(crockery):
    assert {"Cup", "__all__", "__doc__"} <= set(dir(crockery))
    assert dir(crockery) == sorted(set(dir(crockery)))
    assert "crockery.cup" not in sys.modules


def test_a_star_gives_the_public_names(crockery):
    there = {}
    exec("from crockery import *", there)
    assert there["Cup"] is crockery.Cup


def test_another_name_is_refused_and_a_submodule_found(crockery):
    with pytest.raises(AttributeError, match=r"module 'crockery' has no attribute 'Plate'"):
        _ = crockery.Plate
    plate = importlib.import_module("crockery.plate")
    assert crockery.plate is plate
