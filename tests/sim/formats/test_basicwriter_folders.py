"""A flat copy is the same data set; a folder per camera has Replicator's names and the same bytes."""

from __future__ import annotations

from sim.dataset import Dataset
from tests.sim.test_generate import contents


def test_a_flat_copy_is_the_same_data_set(converted, real):
    assert contents(converted("basicwriter")) == contents(real)
    Dataset.open(converted("basicwriter")).verify()


def test_a_folder_per_camera_has_replicators_names(converted, real, dataset):
    folder = converted("basicwriter", render_products=True)
    made = contents(folder)
    assert sorted(p.name for p in folder.iterdir()) == ["camera_0", "camera_1", "camera_2", "metadata.txt"]
    assert {f"camera_0/rgb/rgb_000{k}.png" for k in (0, 1)} <= made.keys()
    assert "camera_2/rgb/rgb_0001.png" not in made  # the fifth frame is the last one
    for name in ("bounding_box_3d_labels", "bounding_box_3d_prim_paths"):
        assert f"camera_1/bounding_box_3d/{name}_0001.json" in made
    assert "camera_1/instance_segmentation/instance_segmentation_semantics_mapping_0000.json" in made
    assert "camera_1/semantic_segmentation/semantic_segmentation_labels_0000.json" in made
    files = [name for entry in dataset.manifest.frames for name in entry.files]
    assert len(made) == len(files) + 1
    flat = contents(real)
    assert sorted(data for name, data in made.items() if name != "metadata.txt") == sorted(flat[name] for name in files)
