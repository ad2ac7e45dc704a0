"""The network as it is deployed: one image in, the five arrays of the engine contract out; and torch as the reference engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from perception.engine import EngineMetadata, RawOutput
from perception.network import NetworkSpec, PanopticDepthLab


class DeployedOutput(NamedTuple):
    """The tensors of RawOutput, in its order."""

    category: Tensor
    confidence: Tensor
    center: Tensor
    offset: Tensor
    depth: Tensor


class DeployedNetwork(nn.Module):
    """Adds to a network what every engine does alike: upsampling to input size, argmax and its softmax, metres from log depth."""

    def __init__(self, network: PanopticDepthLab) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> DeployedOutput:
        output = self.network(image)
        logits = functional.interpolate(output.logits, scale_factor=2.0, mode="bilinear", align_corners=False)
        best, category = logits.max(dim=1)
        confidence = 1 / (logits - best.unsqueeze(1)).exp().sum(dim=1)
        return DeployedOutput(category.int(), confidence, output.center, output.offset, output.log_depth.exp())


class TorchEngine:
    """An Engine over a network in memory; slow and exact, for validation and for parity. Puts the network in eval mode."""

    name = "torch"

    def __init__(self, network: PanopticDepthLab) -> None:
        self._deployed = DeployedNetwork(network).eval()
        self.metadata = metadata_of(network.spec)
        self.settings: Mapping[str, str] = {"precision": "f32"}

    @property
    def digest(self) -> str:
        """The sha256 of the weights in the order of their names."""
        digest = hashlib.sha256()
        for name, value in sorted(self._deployed.state_dict().items()):
            digest.update(name.encode() + np.ascontiguousarray(value.numpy()).tobytes())
        return digest.hexdigest()

    def infer(self, image: NDArray[np.float32]) -> RawOutput:
        """Runs the network on float32 (1, 3, h, w), RGB 0..255."""
        with torch.inference_mode():
            output = self._deployed(torch.from_numpy(image))
        return RawOutput(**{name: value.numpy().copy() for name, value in output._asdict().items()})


def metadata_of(spec: NetworkSpec) -> EngineMetadata:
    """Returns what an engine file of such a network says of itself."""
    return EngineMetadata(
        network=spec.name,
        input_size=spec.input_size,
        categories=spec.categories,
        reference_focal_px=spec.reference_focal_px,
        extra={"depth_range_m": list(spec.depth_range_m)},
    )
