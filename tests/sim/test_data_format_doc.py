"""docs/data-format.md names every file of a frame and every key of the manifest, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim._frame_files import frame_files
from sim.generate import GenerateSpec
from sim.manifest import Manifest
from tests.sim.fake_frames import FakeSource

DOCUMENT = (Path(__file__).parents[2] / "docs" / "data-format.md").read_text()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> FakeSource:
    return FakeSource(GenerateSpec(suite="tabletop", out=tmp_path_factory.mktemp("doc"), frames=1))


def test_every_file_of_a_frame_is_in_the_table_and_the_other_way_round(source):
    source.scene(0)
    written = {re.sub(r"_\d{4}\.", "_N.", name) for name in frame_files(source.frame(0), 0, {})}
    boxes = ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
    documented = set(re.findall(r"^\| `([\w*]+_N\.\w+)`", DOCUMENT, flags=re.MULTILINE))
    spelt_out = {name.replace("bounding_box_*", box) for name in documented for box in boxes}
    assert spelt_out == written


def test_every_key_of_the_manifest_is_in_the_table(source):
    section = DOCUMENT.split("## manifest.json")[1].split("\n## ")[0]
    for key in {"schema_version", "frame_count", *Manifest.__dataclass_fields__}:
        assert f"`{key}`" in section, key
