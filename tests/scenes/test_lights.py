"""Light rigs: colour temperatures as tabulated for black bodies, lights that shine at what matters, and no surprise draws."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import UnknownNameError
from scenes.lights import RIGS, chromaticity_of_kelvin, colour_of_kelvin, make_rig, white_balanced

MIDDLE = (0.4, -0.2, 0.75)


@pytest.mark.parametrize(
    ("kelvin", "x", "y"),
    [(2000, 0.52669, 0.41331), (2856, 0.44757, 0.40745), (5000, 0.34510, 0.35162),
     (6500, 0.31352, 0.32363), (10000, 0.28063, 0.28829)],
)  # fmt: skip
def test_chromaticity_is_that_of_the_tables_of_black_bodies(kelvin: float, x: float, y: float) -> None:
    assert chromaticity_of_kelvin(kelvin) == pytest.approx((x, y), abs=1e-3)


def test_the_pieces_of_the_fit_meet() -> None:
    for joint in (2222.0, 4000.0):
        below, above = chromaticity_of_kelvin(joint), chromaticity_of_kelvin(joint + 0.01)
        assert below == pytest.approx(above, abs=5e-4)


@pytest.mark.parametrize("kelvin", [1000.0, 30000.0, float("nan")])
def test_a_temperature_outside_the_fit_is_refused(kelvin: float) -> None:
    with pytest.raises(ValueError, match=r"1667\.\.25000 K"):
        chromaticity_of_kelvin(kelvin)


def test_warm_is_red_cool_is_blue_and_daylight_is_white() -> None:
    colours = np.array([colour_of_kelvin(k) for k in np.linspace(1800, 20000, 60)])
    assert (np.diff(colours[:, 2] / colours[:, 0]) > 0).all()
    assert colours.max(axis=1) == pytest.approx(1.0)
    assert (colours >= 0).all()
    assert min(colour_of_kelvin(6600)) > 0.93


def test_white_balance_whitens_its_own_light_and_leaves_it_without_adaptation() -> None:
    assert white_balanced(3000, 3000, adaptation=1.0) == pytest.approx((1, 1, 1))
    assert white_balanced(3000, 5000, adaptation=0.0) == pytest.approx(colour_of_kelvin(3000))


@pytest.mark.parametrize("name", sorted(RIGS))
@pytest.mark.parametrize("seed", range(8))
def test_a_rig_lights_the_middle_from_above_with_one_shadow_and_does_not_burn_it_out(name: str, seed: int) -> None:
    rig = make_rig(name, MIDDLE, rng=np.random.default_rng(seed))
    assert sum(light.casts_shadow for light in rig.lights) == 1
    assert len({light.name for light in rig.lights}) == len(rig.lights)
    level = np.array(rig.ambient)
    for light in rig.lights:
        direction = np.array(light.direction)
        assert np.linalg.norm(direction) == pytest.approx(1.0)
        to_middle = np.subtract(MIDDLE, light.position_m)
        assert direction @ to_middle == pytest.approx(np.linalg.norm(to_middle))
        assert direction[2] < 0
        level = level - light.intensity * direction[2] * np.array(light.colour)
    assert 0.45 < level.max() < 1.6


@pytest.mark.parametrize("name", sorted(RIGS))
def test_a_rig_is_a_function_of_its_draws(name: str) -> None:
    first, again, other = (make_rig(name, MIDDLE, rng=np.random.default_rng(s)) for s in (3, 3, 4))
    assert first == again != other


def test_an_unknown_rig_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="overcast"):
        make_rig("overcats", MIDDLE, rng=np.random.default_rng(0))
