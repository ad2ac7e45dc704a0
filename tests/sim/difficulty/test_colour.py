"""CIEDE2000 gives the published values of its test data, CIELAB those of black, white, greys and primaries."""

import pytest

from sim.difficulty.colour import LINEAR_OF_SRGB, delta_e_2000, lab_of_linear

# Sharma, Wu and Dalal (2005), table 1: pairs that go through every branch of the formula.
PUBLISHED = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
    ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, -1.1848, -84.8006), (50, 0, -82.7485), 1.0000),
    ((50, -0.9009, -85.5211), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0009), 7.1792),
    ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ((50, 2.5, 0), (56, -27, -3), 31.9030),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
]


@pytest.mark.parametrize(("first", "second", "expected"), PUBLISHED)
def test_the_published_pairs(first, second, expected):
    assert delta_e_2000(first, second) == pytest.approx(expected, abs=1e-4)
    assert delta_e_2000(second, first) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("srgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((119, 119, 119), (50.034, 0, 0)),
        ((255, 0, 0), (53.241, 80.092, 67.203)),
        ((0, 0, 255), (32.297, 79.188, -107.860)),
    ],
)
def test_cielab_of_srgb(srgb, lab):
    assert lab_of_linear(LINEAR_OF_SRGB[list(srgb)]) == pytest.approx(lab, abs=0.02)


def test_black_and_white_are_a_hundred_apart():
    assert delta_e_2000((0, 0, 0), (100, 0, 0)) == pytest.approx(100, abs=0.01)
    assert delta_e_2000((40, 3, 4), (40, 3, 4)) == 0
