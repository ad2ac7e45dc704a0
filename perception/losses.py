"""Losses of Panoptic-DepthLab: weighted cross-entropy with hard pixels, centre, offset and scale-aware log depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from perception.network import NetworkOutput

_FAR_OFF = 2.0  # log error beyond which AbsRel would grow without bound, and its gradient with it; SILog still pulls


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpec:
    """Weights of the four losses, the share of pixels that counts as hard, and how much of the mean error SILog forgives."""

    semantic: float = 1.0
    center: float = 200.0
    offset: float = 0.05
    depth: float = 10.0
    hard_share: float = 0.2
    silog_lambda: float = 0.5


class TargetBatch(NamedTuple):
    """A batch of Targets as tensors: category int64 (N, h, w), the rest float32; `log_depth` is nan where unknown."""

    category: Tensor
    weight: Tensor
    center: Tensor
    offset: Tensor
    thing: Tensor
    log_depth: Tensor


def semantic_loss(logits: Tensor, category: Tensor, weight: Tensor, hard_share: float) -> Tensor:
    """Returns the mean of: the weighted mean over labelled pixels, and the mean of the hardest share of all pixels."""
    per_pixel = functional.cross_entropy(logits, category, ignore_index=0, reduction="none") * weight
    mean = per_pixel.sum() / (category > 0).sum().clamp(min=1)
    hardest = torch.topk(per_pixel.flatten(), max(1, int(hard_share * per_pixel.numel())), sorted=False).values
    return 0.5 * (mean + hardest.mean())


def center_loss(center: Tensor, target: Tensor, category: Tensor) -> Tensor:
    """Returns the mean squared error of the heat map over labelled pixels, stuff included."""
    known = (category > 0).float()
    return ((center[:, 0] - target).square() * known).sum() / known.sum().clamp(min=1)


def offset_loss(offset: Tensor, target: Tensor, thing_weight: Tensor) -> Tensor:
    """Returns the weighted mean over thing pixels of |dy| + |dx|, in input pixels."""
    return ((offset - target).abs().sum(dim=1) * thing_weight).sum() / thing_weight.sum().clamp(min=1)


def depth_loss(log_depth: Tensor, target: Tensor, silog_lambda: float) -> Tensor:
    """Returns SILog + AbsRel, the mean of |predicted / true - 1|, over pixels with a known depth; 0 where none is."""
    known = torch.isfinite(target)
    error = torch.where(known, log_depth[:, 0] - torch.nan_to_num(target), 0.0)
    count = known.sum().clamp(min=1)
    mean = error.sum() / count
    silog = (error.square().sum() / count - silog_lambda * mean.square() + 1e-8).sqrt()
    relative = torch.expm1(error.clamp(max=_FAR_OFF)).abs()
    return silog + relative.sum() / count


def losses(output: NetworkOutput, target: TargetBatch, spec: LossSpec) -> dict[str, Tensor]:
    """Returns the unweighted losses by name and their weighted sum as `total`."""
    parts = {
        "semantic": semantic_loss(output.logits, target.category, target.weight, spec.hard_share),
        "center": center_loss(output.center, target.center, target.category),
        "offset": offset_loss(output.offset, target.offset, target.thing * target.weight),
        "depth": depth_loss(output.log_depth, target.log_depth, spec.silog_lambda),
    }
    weights = {"semantic": spec.semantic, "center": spec.center, "offset": spec.offset, "depth": spec.depth}
    total = torch.stack([weights[name] * value for name, value in parts.items()]).sum()
    return {**parts, "total": total}
