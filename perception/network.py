"""Panoptic-DepthLab in full convolutions: one shared encoder, and semantic, instance and depth branches that end at stride 2.

Needs torch, so only training and export import it. Channels are multiples of 16 and every 3x3 is dense, because that is
what bf16 convolution on CPUs runs fastest; batch normalisation folds into the convolutions at export.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenes.taxonomy import TABLETOP_CATEGORIES

_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)
_OFFSET_UNIT_PX = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """What makes one network: its input (h, w), the widths at strides 2, 4, 8 and 16, and what its outputs mean.

    `blocks` are the residual blocks at strides 4, 8 and 16, `attention` the self-attention blocks after them.

    `categories` are the names by id. Depth is canonical: metres as seen by a camera of `reference_focal_px` at the
    network's input size, bounded to `depth_range_m`.
    """

    name: str = "panoptic-depthlab"
    input_size: tuple[int, int] = (240, 320)
    widths: tuple[int, int, int, int] = (32, 64, 96, 176)
    blocks: tuple[int, int, int] = (1, 3, 3)
    attention: int = 2
    context: int = 128
    head: int = 64
    categories: tuple[str, ...] = TABLETOP_CATEGORIES
    reference_focal_px: float = 310.0
    depth_range_m: tuple[float, float] = (0.1, 20.0)

    def __post_init__(self) -> None:
        if any(side < 32 or side % 16 for side in self.input_size):
            raise ValueError(f"NetworkSpec needs an input size of multiples of 16, at least 32, got {self.input_size}.")
        if not 0 < self.depth_range_m[0] < self.depth_range_m[1]:
            raise ValueError(f"NetworkSpec needs 0 < near < far, got {self.depth_range_m}.")

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> NetworkSpec:
        """Reads what `to_dict` wrote; raises TypeError or ValueError."""
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fields)


class NetworkOutput(NamedTuple):
    """All at stride 2: logits (N, C, h, w), centre and log depth (N, 1, h, w), offset (N, 2, h, w), (dy, dx) in input pixels."""

    logits: Tensor
    center: Tensor
    offset: Tensor
    log_depth: Tensor


def _conv(
    inputs: int, outputs: int, size: int = 3, *, stride: int = 1, dilation: int = 1, relu: bool = True
) -> nn.Sequential:
    padding = dilation * (size // 2)
    conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=padding, dilation=dilation, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    layers: list[nn.Module] = [conv, nn.BatchNorm2d(outputs, momentum=0.03)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


def _up(features: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(features, size=(like.shape[-2], like.shape[-1]), mode="bilinear", align_corners=False)


class _Residual(nn.Module):
    """Two 3x3 convolutions and a shortcut; the shortcut is a 1x1 on 2x2 means where the shape changes."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, stride=stride, dilation=dilation if stride == 1 else 1)
        self.second = _conv(outputs, outputs, dilation=dilation, relu=False)
        nn.init.zeros_(self.second[1].weight)  # type: ignore[arg-type]  # starts as the identity; the module is a BatchNorm2d
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        shortcut += [_conv(inputs, outputs, 1, relu=False)] if stride > 1 or inputs != outputs else []
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.shortcut(x) + self.second(self.first(x)))


class _Attention(nn.Module):
    """Pre-norm self-attention over the cells of a map, whose places it sees as their coordinates; starts as the identity.

    Vaswani et al. 2017, with queries and keys of half the width. What a cell learns of its own scale reaches every other,
    which metric depth needs.
    """

    def __init__(self, width: int, *, heads: int = 4) -> None:
        super().__init__()
        if width % (2 * heads):
            raise ValueError(f"Attention needs a width that is a multiple of {2 * heads}, got {width}.")
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.place = nn.Linear(4, width)
        self.query, self.key = nn.Linear(width, width // 2), nn.Linear(width, width // 2)
        self.value, self.join = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.join.weight)
        nn.init.zeros_(self.join.bias)

    def forward(self, x: Tensor) -> Tensor:
        n, width, h, w = (int(side) for side in x.shape)
        cells = self.norm(x.flatten(2).transpose(1, 2)) + self.place(_coordinates(h, w, x))
        query, key, value = (
            projection(cells).view(n, h * w, self.heads, -1).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        joined: Tensor = self.join(seen.transpose(1, 2).reshape(n, h * w, width))
        return x + joined.transpose(1, 2).reshape(n, width, h, w)


def _coordinates(h: int, w: int, like: Tensor) -> Tensor:
    """Returns y, x, y^2 and x^2 of each cell, -1..1, (h w, 4)."""
    y = torch.linspace(-1, 1, h, dtype=like.dtype).repeat_interleave(w)
    x = torch.linspace(-1, 1, w, dtype=like.dtype).repeat(h)
    return torch.stack([y, x, y.square(), x.square()], dim=1).to(like.device)


class _Context(nn.Module):
    """A light ASPP: a 1x1, two dilated 3x3 and the mean of the image, projected."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        width = outputs // 2
        dilated = (_conv(inputs, width, dilation=d) for d in (3, 6))
        self.branches = nn.ModuleList([_conv(inputs, width, 1), *dilated])
        self.pooled = nn.Conv2d(inputs, outputs, 1)
        self.project = _conv(3 * width, outputs, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([branch(x) for branch in self.branches], dim=1)
        return functional.relu(self.project(joined) + self.pooled(x.mean(dim=(2, 3), keepdim=True)))


class _Branch(nn.Module):
    """From stride 8 to a prediction at stride 2, with skips added at strides 4 and 2."""

    def __init__(self, spec: NetworkSpec, width: int, fine: int, outputs: int, *, std: float) -> None:
        super().__init__()
        stem, quarter, _, _ = spec.widths
        self.enter = nn.Conv2d(spec.context, width, 1)
        self.skip4 = nn.Conv2d(quarter, width, 1, bias=False)
        self.fuse4 = _conv(width, width)
        self.narrow = nn.Conv2d(width, fine, 1)
        self.skip2 = nn.Conv2d(stem, fine, 1, bias=False)
        self.fuse2 = _conv(fine, fine)
        self.predict = nn.Conv2d(fine, outputs, 1)
        nn.init.normal_(self.predict.weight, std=std)
        nn.init.zeros_(self.predict.bias)  # type: ignore[arg-type]  # Conv2d has a bias by default

    def forward(self, context: Tensor, quarter: Tensor, half: Tensor) -> Tensor:
        x = self.fuse4(functional.relu(_up(self.enter(context), quarter) + self.skip4(quarter)))
        x = self.fuse2(functional.relu(_up(self.narrow(x), half) + self.skip2(half)))
        return self.predict(x).float()  # type: ignore[no-any-return]  # Module.__call__ is untyped


class PanopticDepthLab(nn.Module):
    """Maps RGB float (N, 3, h, w), 0..255, to a NetworkOutput; h and w are multiples of 16."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        stem, quarter, eighth, sixteenth = spec.widths
        n4, n8, n16 = spec.blocks
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)
        self.stem = _conv(3, stem, stride=2)
        self.stage4 = nn.Sequential(_conv(stem, quarter, stride=2), *(_Residual(quarter, quarter) for _ in range(n4)))
        self.stage8 = nn.Sequential(
            _Residual(quarter, eighth, stride=2), *(_Residual(eighth, eighth) for _ in range(n8 - 1))
        )
        dilated = (_Residual(sixteenth, sixteenth, dilation=2**i) for i in range(1, n16))
        self.stage16 = nn.Sequential(_Residual(eighth, sixteenth, stride=2), *dilated)
        self.attention = nn.Sequential(*(_Attention(sixteenth) for _ in range(spec.attention)))
        self.context = _Context(sixteenth, spec.context)
        self.skip8 = _conv(eighth, spec.context, 1, relu=False)
        self.fuse8 = _conv(spec.context, spec.context)
        self.semantic = _Branch(spec, spec.head, spec.head // 2, len(spec.categories), std=0.01)
        self.instance = _Branch(spec, spec.head, spec.head // 2, 3, std=0.01)
        self.depth = _Branch(spec, spec.head, spec.head // 2, 1, std=0.01)

    def forward(self, image: Tensor) -> NetworkOutput:
        half = self.stem((image - self.mean) / self.std)
        quarter = self.stage4(half)
        eighth = self.stage8(quarter)
        context = self.context(self.attention(self.stage16(eighth)))
        context = self.fuse8(functional.relu(_up(context, eighth) + self.skip8(eighth)))
        near, far = (math.log(d) for d in self.spec.depth_range_m)
        instance = self.instance(context, quarter, half)
        return NetworkOutput(
            logits=self.semantic(context, quarter, half),
            center=instance[:, :1],
            offset=instance[:, 1:] * _OFFSET_UNIT_PX,
            log_depth=torch.clamp(self.depth(context, quarter, half), near, far),
        )


def parameter_count(network: nn.Module) -> int:
    """Returns the number of trained values."""
    return sum(p.numel() for p in network.parameters())
