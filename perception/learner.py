"""The learner: a network, the running mean of its weights and its optimiser, advanced one batch at a time."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from perception.checkpoint import Checkpoint
from perception.data import Batch
from perception.losses import LossSpec, TargetBatch, losses
from perception.network import NetworkSpec, PanopticDepthLab
from scenes.errors import TrainingError


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnSpec:
    """AdamW with a warm-up and a cosine down to `final_share` of `rate`, both as shares of the whole run.

    `mean_decay` is that of the running mean of the weights; `bf16` is the precision of convolutions under autocast.
    """

    rate: float = 1.5e-3
    warmup: float = 0.03
    final_share: float = 0.005
    weight_decay: float = 0.02
    clip_norm: float = 10.0
    mean_decay: float = 0.998
    bf16: bool = True


def rate_at(progress: float, spec: LearnSpec) -> float:
    """Returns the learning rate at a progress of 0..1."""
    if progress < spec.warmup:
        return spec.rate * max(progress / spec.warmup, 0.01)
    done = min((progress - spec.warmup) / (1 - spec.warmup), 1.0)
    return spec.rate * (spec.final_share + (1 - spec.final_share) * 0.5 * (1 + math.cos(math.pi * done)))


class Learner:
    """Holds the state of training. `mean` is the network to validate and to export."""

    def __init__(self, network: NetworkSpec, learn: LearnSpec, loss: LossSpec, *, seed: int) -> None:
        torch.manual_seed(seed)
        self._learn, self._loss = learn, loss
        self.network = PanopticDepthLab(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs lack memory_format
        self.mean = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        self.network.train()
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        plain = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": learn.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=learn.rate)
        self._pairs = _float_pairs(self.mean, self.network)
        self.step = 0

    def advance(self, batch: Batch, progress: float) -> dict[str, float]:
        """Learns from one batch and returns its losses; raises TrainingError where they are not finite."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate_at(progress, self._learn)
        image, target = tensors_of(batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._learn.bf16):
            output = self.network(image)
        parts = losses(output, target, self._loss)
        if not torch.isfinite(parts["total"]):
            raise TrainingError(
                f"Training diverged at step {self.step}: {_floats(parts)}; start again with a lower rate."
            )
        self._optimizer.zero_grad(set_to_none=True)
        parts["total"].backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.network.parameters(), self._learn.clip_norm)
        self._optimizer.step()
        self.step += 1
        self._follow()
        return _floats(parts)

    def _follow(self) -> None:
        """Moves the running mean towards the weights; early on it follows closely."""
        decay = min(self._learn.mean_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                self._pairs[0], self._pairs[1], 1 - decay
            )  # the only call that does 200 tensors at once

    def checkpoint(self, spec: dict[str, object], elapsed_s: float, *, finished: bool) -> Checkpoint:
        """Returns the whole state; the tensors are shared, so save it before the next step."""
        state = self._optimizer.state_dict()["state"]
        return Checkpoint(
            spec=dict(spec),
            step=self.step,
            elapsed_s=elapsed_s,
            finished=finished,
            network=dict(self.network.state_dict()),
            mean=dict(self.mean.state_dict()),
            optimizer={int(n): dict(values) for n, values in state.items()},
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Takes over the state; raises TrainingError where it is of another network."""
        load_weights(self.network, checkpoint.network)
        load_weights(self.mean, checkpoint.mean)
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        if checkpoint.optimizer and sorted(checkpoint.optimizer) != list(range(len(parameters))):
            raise TrainingError("The checkpoint's optimiser state is of another network; train into a new folder.")
        state = {n: {k: _like(v, parameters[n]) for k, v in s.items()} for n, s in checkpoint.optimizer.items()}
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.step = checkpoint.step


    def start_from(self, weights: dict[str, Tensor]) -> list[str]:
        """Begins at another run's weights with a fresh optimiser; returns the names of tensors that begin anew.

        A tensor is taken over where name and shape agree. Raises TrainingError where fewer than half are.
        """
        own = self.network.state_dict()
        taken = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
        if len(taken) < len(own) / 2:
            raise TrainingError(
                f"The weights to start from are of another network: {len(taken)} of {len(own)} tensors fit; train without."
            )
        load_weights(self.network, own | taken)
        load_weights(self.mean, own | taken)
        return sorted(own.keys() - taken.keys())


def load_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copies weights into a network; raises TrainingError where names or shapes differ."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(f"The weights are of another network ({reason}); train again without them.") from error


def tensors_of(batch: Batch) -> tuple[Tensor, TargetBatch]:
    """Returns the image, float32 (N, 3, H, W), channels last, 0..255, and the targets as tensors."""
    image = torch.from_numpy(batch.rgb).permute(0, 3, 1, 2).float()
    target = TargetBatch(
        category=torch.from_numpy(batch.category).long(),
        weight=torch.from_numpy(batch.weight),
        center=torch.from_numpy(batch.center),
        offset=torch.from_numpy(batch.offset),
        thing=torch.from_numpy(batch.thing).float(),
        log_depth=torch.from_numpy(batch.log_depth),
    )
    return image, target


def _like(value: Tensor, parameter: Tensor) -> Tensor:
    """Copies into the memory layout of the parameter, which fused optimisers take for granted; scalars stay as they are."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value.clone()


def _float_pairs(mean: nn.Module, network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    pairs = zip(mean.state_dict().values(), network.state_dict().values(), strict=True)
    floats = [(m, n) for m, n in pairs if m.is_floating_point()]
    return [m for m, _ in floats], [n for _, n in floats]


def _floats(parts: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in parts.items()}
