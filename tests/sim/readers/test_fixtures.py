"""Every folder of real Isaac Sim output beside the checkout is read, and what was found in it is what lies there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenes.taxonomy import TAXONOMY
from sim.dataset import Dataset
from sim.readers._files import decode_file, json_object
from sim.readers._isaac_pixels import label_of
from sim.readers.tabulate import table
from tests.sim.readers import isaac_folder as isaac

# folder: (reader, frames, views, size, a part of what is noted)
FOUND = {
    "basicwriter_single_view": ("isaac-basicwriter", 4, ["view"], (720, 480), "visible fraction unknown (-1) of 15"),
    "basicwriter_colorized_drop": ("isaac-basicwriter", 4, ["view"], (640, 480), "not read: 4 distance_to_camera.png"),
    "pose_writer_pinhole": ("isaac-posewriter", 2, ["rp1", "rp2"], (512, 512), "4 of 6 were wrong"),
}


def test_no_folder_is_forgotten(shared_dir):
    assert {path.name for path in (shared_dir / "fixtures" / "isaac").iterdir() if path.is_dir()} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_every_folder_is_read(shared_dir, name):
    kind, frames, views, size, noted = FOUND[name]
    folder = shared_dir / "fixtures" / "isaac" / name
    found = Dataset.open(folder)
    found.verify()
    assert (found.manifest.generator.backend, len(found), found.manifest.size) == (kind, frames, size)
    assert sorted({part.rpartition("/")[2] for part in found.names}) == views
    row = table([folder]).splitlines()[-1]
    assert row.startswith(f"| {name} | {frames} | {', '.join(views)} | {size[0]}x{size[1]} | {kind} | semantic labels, ")
    assert noted in row


def test_the_table_of_the_docs_is_what_is_found(shared_dir):
    folders = sorted(path for path in (shared_dir / "fixtures" / "isaac").iterdir() if path.is_dir())
    text = (Path(__file__).resolve().parents[3] / "docs" / "data-format.md").read_text(encoding="utf-8")
    assert table(folders) in text


def test_real_colours_with_the_json_that_isaac_sim_writes_beside_them(shared_dir, tmp_path):
    # The vendor keeps no json beside these pictures: this is the one that its writer makes of the colours in them.
    folder = shutil.copytree(shared_dir / "fixtures" / "isaac" / "basicwriter_colorized_drop", tmp_path / "drop")
    real = shared_dir / "fixtures" / "isaac" / "basicwriter_single_view" / "semantic_segmentation_labels_0000.json"
    form = decode_file(real, json_object)
    assert {label_of(value) for value in form.values()} == {"BACKGROUND", "UNLABELLED", "banana", "crate", "large_marker"}
    for number in range(4):
        labels = {"(0, 0, 0, 0)": {"class": "BACKGROUND"}, "(33, 243, 3, 255)": {"class": "banana"}}
        isaac.js(folder / f"semantic_segmentation_labels_000{number}.json", labels)
    found = Dataset.open(folder)
    banana = TAXONOMY.named("banana")
    # A thing without instances is void; as a category of stuff the 14086 pixels of the real picture are there.
    assert not found[0].truth.semantic.any()
    (tmp_path / "l.toml").write_text('[labels]\nbanana = "rug"\n')
    mapped = Dataset.open(folder, labels=tmp_path / "l.toml")
    pixels = [int((frame.truth.semantic == TAXONOMY.named("rug").id).sum()) for frame in mapped]
    assert pixels == [14086, 25090, 14681, 26440]
    assert banana.is_thing


def test_the_command_line_reads_them(shared_dir, tmp_path, run_rehearse):
    folder = shared_dir / "fixtures" / "isaac" / "pose_writer_pinhole"
    (tmp_path / "l.toml").write_text('[labels]\ncube = "box"\ncube_rotated = "book"\ncube_scaled = "can"\n')
    more = "--labels", tmp_path / "l.toml"
    done = run_rehearse("inspect", folder, "--sheet", tmp_path / "s.png", "--json", *more)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objects"]["book"] == 2
    assert "note: camera-frame poses: 4 of 6 were wrong" in done.stderr
    assert "not available: depth: PoseWriter does not write it: depth is not scored" in done.stderr
    done = run_rehearse("inspect", folder, "--html", tmp_path / "pages", *more)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pages" / "layers" / "rgb" / "0001.jpg").is_file()
    (tmp_path / "empty").mkdir()
    done = run_rehearse("inspect", tmp_path / "empty")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
