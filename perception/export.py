"""A trained run becomes one ONNX file with its own metadata, published only after ONNX Runtime agrees with torch."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from perception.calibrate import measure_calibration
from perception.calibration import DepthCalibration
from perception.checkpoint import FILE_NAME, load_checkpoint
from perception.digest import manifest_path, write_digest
from perception.engine import METADATA_KEY, OUTPUT_NAMES
from perception.learner import load_weights
from perception.network import NetworkSpec, PanopticDepthLab
from perception.torch_engine import DeployedNetwork, TorchEngine, metadata_of
from scenes.errors import TrainingError
from scenes.files import whole_file

_OPSET = 17
_TOLERANCE = 1e-4


def export_run(
    run: Path, out_onnx: Path, *, calibrate_on: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> None:
    """Exports the mean weights of a run folder (or of a checkpoint file) as float32 ONNX.

    With `calibrate_on`, a data set of the train split whose scenes the run has not seen, the depth calibration is measured
    there (`perception.calibrate`), `progress` getting (frames done, frames in all). The metadata notes the run's seed,
    steps and data sets' names. Raises TrainingError where there is no checkpoint, or where ONNX Runtime differs from
    torch by more than 1e-4 of an output's scale.
    """
    checkpoint = load_checkpoint(run / FILE_NAME if run.is_dir() or not run.suffix else run)
    spec = NetworkSpec.from_dict(checkpoint.spec["network"])
    network = PanopticDepthLab(spec)
    load_weights(network, checkpoint.mean)
    trained = {
        "steps": checkpoint.step,
        "batch": checkpoint.spec.get("batch"),
        "seed": checkpoint.spec.get("seed"),
        "minutes": round(checkpoint.elapsed_s / 60, 1),
        "datasets": [Path(p).name for p in checkpoint.spec.get("datasets", ())],
    }
    calibration = DepthCalibration()
    if calibrate_on is not None:
        calibration = measure_calibration(TorchEngine(network), calibrate_on, progress=progress)
    export_network(network, out_onnx, calibration=calibration, trained=trained)


def export_network(
    network: PanopticDepthLab,
    out_onnx: Path,
    *,
    calibration: DepthCalibration | None = None,
    trained: dict[str, Any] | None = None,
) -> None:
    """Exports a network, batch normalisation folded, and checks the file before it takes its place; its digest lies beside."""
    import onnx

    deployed = DeployedNetwork(fold_batch_norms(network)).eval()
    image = _check_image(network.spec.input_size)
    out_onnx.parent.mkdir(parents=True, exist_ok=True)
    manifest_path(out_onnx).unlink(
        missing_ok=True
    )  # that of an older file: between the two there is none, never a wrong one
    with whole_file(out_onnx) as staging:
        _write_graph(deployed, image, staging)
        model = onnx.load(staging)
        metadata = metadata_of(network.spec)
        text = replace(
            metadata,
            calibration=calibration or metadata.calibration,
            extra={**metadata.extra, "trained": trained or {}},
        ).to_json()
        model.metadata_props.add(key=METADATA_KEY, value=text)
        onnx.save(model, staging)
        check_parity(deployed, staging, image)
    write_digest(out_onnx)


def fold_batch_norms(network: PanopticDepthLab) -> PanopticDepthLab:
    """Returns a copy in eval mode in which every convolution has taken over the batch normalisation after it."""
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                first, second = module[i], module[i + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return folded


def check_parity(deployed: DeployedNetwork, path: Path, image: NDArray[np.float32]) -> None:
    """Raises TrainingError where ONNX Runtime and torch differ by more than 1e-4 of the scale of an output.

    Categories may differ only where the two best are as close as that, on at most one pixel in a thousand.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    answers = dict(zip(OUTPUT_NAMES, session.run(list(OUTPUT_NAMES), {"image": image}), strict=True))
    with torch.inference_mode():
        expected = {k: v.numpy() for k, v in deployed(torch.from_numpy(image))._asdict().items()}
    if (answers["category"] != expected["category"]).mean() > 1e-3:
        raise TrainingError("The exported graph gives other categories than torch; it was not published.")
    for name in OUTPUT_NAMES[1:]:
        error = float(np.abs(answers[name] - expected[name]).max())
        scale = max(1.0, float(np.abs(expected[name]).max()))
        if not error <= _TOLERANCE * scale:
            raise TrainingError(
                f"The exported graph differs from torch by {error:.2g} in {name!r}; it was not published."
            )


def _write_graph(deployed: DeployedNetwork, image: NDArray[np.float32], path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch announces that its TorchScript exporter, which needs no further package, is old
        torch.onnx.export(
            deployed,
            (torch.from_numpy(image),),
            str(path),
            input_names=["image"],
            output_names=list(OUTPUT_NAMES),
            opset_version=_OPSET,
            do_constant_folding=True,
            dynamo=False,
        )


def _check_image(size: tuple[int, int]) -> NDArray[np.float32]:
    """A smooth and noisy image, so that every part of the range is exercised."""
    h, w = size
    ramp = np.linspace(0, 200, h * w, dtype=np.float32).reshape(1, 1, h, w).repeat(3, axis=1)
    return ramp + np.random.default_rng(0).uniform(0, 55, ramp.shape).astype(np.float32)
