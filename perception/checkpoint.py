"""A checkpoint is one safetensors file, published whole: weights, their mean, optimiser state, step, time and spec.

No pickle is ever read; a file of another origin is refused with one sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from scenes.errors import TrainingError
from scenes.files import whole_file

FILE_NAME = "checkpoint.safetensors"
_KEY = "rehearse"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """The state of a run after `step` steps and `elapsed_s` seconds of training; `spec` is plain JSON.

    `network` are the trained weights, `mean` their running mean (what is validated and exported), `optimizer` is
    torch's state by parameter number.
    """

    spec: dict[str, Any]
    step: int
    elapsed_s: float
    network: dict[str, Tensor]
    mean: dict[str, Tensor]
    optimizer: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    finished: bool = False


def weights_only(checkpoint: Checkpoint) -> Checkpoint:
    """Returns what others need to start from: the running mean of the weights and the spec, without the optimiser."""
    return replace(checkpoint, network={}, optimizer={}, finished=True)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes the file beside its place, syncs it and moves it there in one step."""
    tensors = {f"network.{k}": v for k, v in checkpoint.network.items()}
    tensors |= {f"mean.{k}": v for k, v in checkpoint.mean.items()}
    tensors |= {f"optimizer.{n}.{k}": v for n, state in checkpoint.optimizer.items() for k, v in state.items()}
    header = {
        "format": _FORMAT, "spec": checkpoint.spec, "step": checkpoint.step,
        "elapsed_s": checkpoint.elapsed_s, "finished": checkpoint.finished,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}
    with whole_file(path, sync=True) as staging:
        save_file(plain, staging, metadata={_KEY: json.dumps(header)})


def load_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint; raises TrainingError where the file is missing, foreign, pickled, damaged or of another format."""
    if not path.is_file():
        raise TrainingError(f"There is no checkpoint {path}; give the folder that `rehearse train --out` wrote.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no dict
    except (SafetensorError, OSError) as error:
        raise TrainingError(
            f"{path} is not a checkpoint: {_origin(path)}; give a file that `rehearse train` wrote."
        ) from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT:
        raise TrainingError(f"{path} is a safetensors file, but not a checkpoint of this release; train again.")
    return _assemble(header, tensors)


def _origin(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    if start in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
        return "it is a pickle, which is never read because it can run code"
    return "expected a whole safetensors file"


def _assemble(header: dict[str, Any], tensors: dict[str, Tensor]) -> Checkpoint:
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "mean": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts[part][rest] = tensor
    optimizer: dict[int, dict[str, Tensor]] = {}
    for name, tensor in parts["optimizer"].items():
        number, _, key = name.partition(".")
        optimizer.setdefault(int(number), {})[key] = tensor
    return Checkpoint(
        spec=header["spec"],
        step=int(header["step"]),
        elapsed_s=float(header["elapsed_s"]),
        finished=bool(header["finished"]),
        network=parts["network"],
        mean=parts["mean"],
        optimizer=optimizer,
    )
