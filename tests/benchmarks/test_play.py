"""What a camera takes of a film, and at what speed that plays it."""

from types import SimpleNamespace

import pytest

from benchmarks.rehearsal import play
from hil.host.camera import EveryNth


def film(clip_hz, length=8):
    names = tuple(f"scene/camera_0-{k:04d}" for k in range(length)) if length > 1 else ("scene/camera_0", "scene/camera_1")
    return SimpleNamespace(names=names, manifest=SimpleNamespace(capture={"sequence": length, "rate_hz": clip_hz}))


@pytest.mark.parametrize(
    ("clip_hz", "rate_hz", "every", "facts"),
    [
        (60.0, 15.0, None, {"clip_hz": 60.0, "camera_every": 4, "speed": 1.0}),
        (60.0, 15.0, 1, {"clip_hz": 60.0, "camera_every": 1, "speed": 0.25}),
        (60.0, 18.0, None, {"clip_hz": 60.0, "camera_every": 3, "speed": 0.9}),
        (15.0, 15.0, None, {"clip_hz": 15.0, "camera_every": 1, "speed": 1.0}),
    ],
)
def test_a_film_plays_at_its_own_speed_where_it_can(clip_hz, rate_hz, every, facts):
    dataset = film(clip_hz)
    source, told = play(dataset, rate_hz=rate_hz, every=every)
    assert told == facts
    assert isinstance(source, EveryNth) == (facts["camera_every"] > 1)
    assert source is dataset or source.every == facts["camera_every"]


def test_stills_have_no_speed():
    dataset = film(15.0, length=1)
    assert play(dataset, rate_hz=30.0, every=None) == (dataset, {})
