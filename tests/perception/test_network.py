"""The network: shapes and ranges of its outputs, its size, and losses that are zero at the truth and fall in training."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install rehearse-perception[train]")

from perception.augment import AugmentSpec
from perception.data import BatchSpec, frame_arrays, make_batch
from perception.learner import Learner, LearnSpec, rate_at, tensors_of
from perception.losses import LossSpec, depth_loss, losses
from perception.network import NetworkOutput, NetworkSpec, PanopticDepthLab, parameter_count
from tests.perception.synthetic_samples import samples

SMALL = NetworkSpec(
    input_size=(96, 128), widths=(16, 16, 16, 16), blocks=(1, 1, 2), context=16, head=32, reference_focal_px=124.0
)


@pytest.mark.parametrize("size", [(96, 128), (64, 64), (112, 80)])
def test_outputs_are_at_stride_two_and_depth_is_in_range(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = PanopticDepthLab(SMALL).eval()
    with torch.inference_mode():
        output = network(torch.rand(2, 3, *size) * 255)
    h, w = size[0] // 2, size[1] // 2
    assert [tuple(t.shape) for t in output] == [(2, 18, h, w), (2, 1, h, w), (2, 2, h, w), (2, 1, h, w)]
    near, far = SMALL.depth_range_m
    assert (
        math.log(near) - 1e-6 <= float(output.log_depth.min()) <= float(output.log_depth.max()) <= math.log(far) + 1e-6
    )
    assert all(t.dtype == torch.float32 for t in output)


def test_depth_stays_in_range_whatever_the_weights() -> None:
    network = PanopticDepthLab(SMALL).eval()
    with torch.inference_mode():
        network.depth.predict.bias.fill_(100.0)
        assert float(network(torch.zeros(1, 3, 64, 64)).log_depth.max()) == pytest.approx(math.log(20.0))


def test_the_default_network_is_small_enough_to_ship() -> None:
    network = PanopticDepthLab(NetworkSpec())
    assert parameter_count(network) <= 2_990_000
    assert 4 * parameter_count(network) < 12e6


def test_a_spec_survives_json_and_refuses_sizes_it_cannot_halve() -> None:
    assert NetworkSpec.from_dict(SMALL.to_dict()) == SMALL
    with pytest.raises(ValueError, match="multiples of 16"):
        NetworkSpec(input_size=(100, 128))


def test_losses_at_the_truth_are_zero_but_for_the_softmax(rng: np.random.Generator) -> None:
    arrays = frame_arrays(samples(2, (96, 128), rng=rng))
    _, target = tensors_of(make_batch(arrays, 0, BatchSpec(size=2)))
    perfect = NetworkOutput(
        logits=torch.nn.functional.one_hot(target.category, 18).permute(0, 3, 1, 2).float() * 50,
        center=target.center[:, None],
        offset=target.offset,
        log_depth=torch.nan_to_num(target.log_depth)[:, None],
    )
    parts = losses(perfect, target, LossSpec())
    assert {k: float(v) for k, v in parts.items()} == pytest.approx(
        dict.fromkeys(("semantic", "center", "offset", "depth", "total"), 0.0), abs=2e-3
    )


def test_ignored_pixels_have_no_gradient(rng: np.random.Generator) -> None:
    arrays = frame_arrays(samples(2, (96, 128), rng=rng))
    _, target = tensors_of(make_batch(arrays, 0, BatchSpec(size=2, augment=AugmentSpec(strength=0))))
    target.category[:, :10], target.log_depth[:, :10], target.thing[:, :10] = 0, math.nan, 0
    leaves = [torch.randn(2, c, 48, 64, requires_grad=True) for c in (18, 1, 2, 1)]
    losses(NetworkOutput(*leaves), target, LossSpec())["total"].backward()
    for leaf in leaves:
        assert leaf.grad is not None
        assert (leaf.grad[:, :, :10] == 0).all()
        assert (leaf.grad[:, :, 10:] != 0).any()


@pytest.mark.parametrize("factor", [0.8, 1.3])
def test_depth_loss_of_a_common_factor_is_analytic(factor: float) -> None:
    log_depth = torch.randn(2, 1, 8, 8)
    value = float(depth_loss(log_depth + math.log(factor), log_depth[:, 0], 0.5))
    assert value == pytest.approx(abs(math.log(factor)) * math.sqrt(0.5) + abs(factor - 1), rel=1e-3)


def test_depth_loss_of_a_wild_prediction_is_finite_and_still_pulls() -> None:
    log_depth = torch.full((1, 1, 4, 4), 80.0, requires_grad=True)
    value = depth_loss(log_depth, torch.zeros(1, 4, 4), 0.5)
    value.backward()
    assert math.isfinite(float(value.detach()))
    assert (log_depth.grad > 0).all()


def test_attention_starts_as_the_identity_and_then_joins_every_cell() -> None:
    torch.manual_seed(0)
    plain, attending = (PanopticDepthLab(replace(SMALL, attention=n)).eval() for n in (0, 1))
    attending.load_state_dict(attending.state_dict() | plain.state_dict())
    x = torch.rand(1, 16, 6, 8)
    with torch.inference_mode():
        assert torch.equal(attending.attention(x), x)
        block = attending.attention[0]
        torch.nn.init.normal_(block.join.weight)
        moved = x.clone()
        moved[0, 3, 0, 0] += 1.0
        change = (block(moved) - block(x) - (moved - x)).abs().amax(dim=1)
    assert (change > 0).all()


def test_depth_loss_without_any_known_depth_is_harmless() -> None:
    log_depth = torch.randn(1, 1, 4, 4, requires_grad=True)
    value = depth_loss(log_depth, torch.full((1, 4, 4), math.nan), 0.5)
    value.backward()
    assert float(value.detach()) < 1e-3
    assert (log_depth.grad == 0).all()


def test_rate_warms_up_and_ends_small() -> None:
    spec = LearnSpec(rate=1.0, warmup=0.1, final_share=0.01)
    rates = [rate_at(p, spec) for p in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[0] <= 0.01
    assert rates[-1] == pytest.approx(0.01)
    assert np.argmax(rates) == 10
    assert (np.diff(rates[10:]) < 0).all()


@pytest.mark.parametrize("bf16", [False, True])
def test_losses_fall_when_one_batch_is_learnt_by_heart(bf16: bool, rng: np.random.Generator) -> None:
    arrays = frame_arrays(samples(4, (96, 128), rng=rng))
    batch = make_batch(arrays, 0, BatchSpec(size=4, augment=AugmentSpec(strength=0), reference_focal_px=124.0))
    learner = Learner(SMALL, LearnSpec(rate=5e-3, bf16=bf16), LossSpec(), seed=0)
    first, *_, last = [learner.advance(batch, max(0.04, k / 30)) for k in range(30)]
    for name in ("semantic", "center", "offset", "depth"):
        assert last[name] < 0.8 * first[name], name
    assert last["total"] < 0.5 * first["total"]
