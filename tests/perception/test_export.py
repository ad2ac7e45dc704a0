"""An exported file gives torch's answers through ONNX Runtime, carries its metadata, and is published only if it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="exporting needs torch: pip install rehearse-perception[train]")
pytest.importorskip("onnx", reason="exporting needs onnx: pip install rehearse-perception[train]")
pytest.importorskip("onnxruntime", reason="exporting is verified with onnxruntime")

from perception import export as export_module
from perception.checkpoint import FILE_NAME, Checkpoint, save_checkpoint
from perception.engine import open_engine
from perception.export import export_network, export_run, fold_batch_norms
from perception.network import NetworkSpec, PanopticDepthLab
from perception.torch_engine import TorchEngine
from perception.train import TrainSpec
from scenes.errors import TrainingError
from scenes.taxonomy import TABLETOP_CATEGORIES

SPEC = NetworkSpec(input_size=(64, 80), widths=(16, 16, 16, 16), blocks=(1, 1, 1), context=16, head=32)


@pytest.fixture(scope="module")
def network() -> PanopticDepthLab:
    """A network whose normalisation and outputs are far from their initial values, so that an error cannot hide."""
    torch.manual_seed(0)
    network = PanopticDepthLab(SPEC)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            module.running_mean.normal_(std=0.3)
            module.running_var.uniform_(0.5, 2.0)
    for branch in (network.semantic, network.instance, network.depth):
        torch.nn.init.normal_(branch.predict.weight, std=0.1)
    return network


def test_onnxruntime_gives_the_answers_of_torch(network: PanopticDepthLab, tmp_path: Path) -> None:
    path = tmp_path / "sub" / "net.onnx"
    export_network(network, path)
    image = np.random.default_rng(1).uniform(0, 255, (1, 3, 64, 80)).astype(np.float32)
    got, expected = open_engine(path, "onnxruntime", threads=1).infer(image), TorchEngine(network).infer(image)
    assert (got.category == expected.category).mean() > 0.999
    for name in ("confidence", "center", "offset", "depth"):
        reference = getattr(expected, name)
        scale = max(1.0, float(np.abs(reference).max()))
        np.testing.assert_allclose(getattr(got, name), reference, atol=1e-4 * scale, err_msg=name)
        assert float(reference.std()) > 1e-3, "degenerate outputs would hide an error"
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.onnx", "net.onnx.sha256"]


def test_the_file_says_what_it_is(network: PanopticDepthLab, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    export_network(network, path, trained={"steps": 7})
    metadata = open_engine(path, "onnxruntime", threads=1).metadata
    assert metadata.categories == TABLETOP_CATEGORIES
    assert (metadata.input_size, metadata.reference_focal_px) == ((64, 80), SPEC.reference_focal_px)
    assert metadata.extra["trained"] == {"steps": 7}


def test_exporting_leaves_the_network_as_it_was(network: PanopticDepthLab, tmp_path: Path) -> None:
    network.train()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    export_network(network, tmp_path / "net.onnx")
    assert network.training
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_folding_changes_no_answer(network: PanopticDepthLab) -> None:
    image = torch.rand(1, 3, 64, 80) * 255
    folded = fold_batch_norms(network)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    with torch.inference_mode():
        for a, b in zip(folded(image), network.eval()(image), strict=True):
            assert torch.allclose(a, b, atol=1e-4 * max(1.0, float(b.abs().max())))


def test_a_run_is_exported_with_its_mean_weights(network: PanopticDepthLab, tmp_path: Path) -> None:
    spec = TrainSpec(datasets=("a/train",), steps=9, network=SPEC)
    mean = {k: v.clone() for k, v in network.state_dict().items()}
    other = {k: torch.zeros_like(v) for k, v in mean.items()}
    run = tmp_path / "run"
    save_checkpoint(Checkpoint(spec=spec.to_dict(), step=9, elapsed_s=60, network=other, mean=mean), run / FILE_NAME)
    export_run(run, tmp_path / "net.onnx")
    engine = open_engine(tmp_path / "net.onnx", "onnxruntime", threads=1)
    assert engine.metadata.extra["trained"] == {
        "steps": 9,
        "batch": 8,
        "seed": 0,
        "minutes": 1.0,
        "datasets": ["train"],
    }
    image = np.full((1, 3, 64, 80), 90, np.float32)
    np.testing.assert_allclose(engine.infer(image).depth, TorchEngine(network).infer(image).depth, rtol=1e-3)


def test_a_graph_that_disagrees_is_not_published(
    network: PanopticDepthLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"the one before")
    monkeypatch.setattr(export_module, "_TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match="differs from torch"):
        export_network(network, tmp_path / "net.onnx")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("net.onnx", b"the one before")]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no checkpoint"):
        export_run(tmp_path / "nothing", tmp_path / "net.onnx")
