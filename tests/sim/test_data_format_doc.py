"""docs/data-format.md names every file of a frame and every key of the manifest, and none that is not there."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sim._frame_files import frame_files
from sim.annotators.registry import ANNOTATORS, DEFAULT
from sim.basicwriter import encode_frame
from sim.frame import Sensed
from sim.generate import GenerateSpec
from sim.manifest import Manifest
from tests.sim.fake_frames import FakeSource

DOCUMENT = (Path(__file__).parents[2] / "docs" / "data-format.md").read_text()


def numbered_n(file: str) -> str:
    kind, _, suffix = file.rpartition(".")
    return f"{kind}_N.{suffix}"


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> FakeSource:
    return FakeSource(GenerateSpec(suite="tabletop", out=tmp_path_factory.mktemp("doc"), frames=1))


def test_every_file_of_a_frame_is_in_the_table_and_the_other_way_round(source):
    source.scene(0)
    plain = source.frame(0)
    written = {re.sub(r"_\d{4}\.", "_N.", name) for name in encode_frame(plain, 0)}
    assert written == {numbered_n(file) for name in DEFAULT for file in ANNOTATORS[name].codec.files}
    frame = replace(plain, sensed=Sensed(rgb_ideal=plain.rgb, depth_m=plain.truth.depth_m))
    written = {re.sub(r"_\d{4}\.", "_N.", name) for name in frame_files(frame, 0, {})}
    boxes = ("bounding_box_2d_tight", "bounding_box_2d_loose", "bounding_box_3d")
    documented = set(re.findall(r"^\| `([\w*]+_N\.\w+)`", DOCUMENT, flags=re.MULTILINE))
    spelt_out = {name.replace("bounding_box_*", box) for name in documented for box in boxes}
    assert spelt_out == written


def test_every_annotator_and_each_of_its_files_is_in_the_second_table():
    sections = DOCUMENT.split("## Annotators beyond the default")[1].split("## Sequences and stereo")[0]
    named = set(re.findall(r"`(\w+)`", sections))
    files = set(re.findall(r"`(\w+_N\.\w+)`", sections))
    more = {name: annotator for name, annotator in ANNOTATORS.items() if name not in DEFAULT}
    assert {numbered_n(file) for annotator in more.values() for file in annotator.codec.files} == files
    assert {name for name in more if not name.endswith("_segmentation_colorized")} <= named


def test_every_key_of_the_manifest_is_in_the_table(source):
    section = DOCUMENT.split("## manifest.json")[1].split("\n## ")[0]
    for key in {"schema_version", "frame_count", *Manifest.__dataclass_fields__}:
        assert f"`{key}`" in section, key
