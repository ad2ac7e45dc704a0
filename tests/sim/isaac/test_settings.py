"""Settings and versions: what Isaac Sim is started with, what is set after every stage, and what is said of unknown versions."""

from __future__ import annotations

import warnings

import pytest

from scenes.errors import BackendError, UnknownNameError
from sim.isaac import app
from sim.isaac.backend import IsaacBackend
from sim.isaac.settings import IsaacSettings
from sim.isaac.versions import VERSIONS, version_of
from tests.sim.isaac.fake_replicator import installed
from tests.sim.little_scenes import camera_above, floor, scene_of

NEWEST = VERSIONS[-1]


def test_defaults_are_one_gpu_headless_and_deterministic():
    config = IsaacSettings().launch_config(NEWEST.launch_keys)
    assert (config["multi_gpu"], config["max_gpu_count"], config["headless"]) == (False, 1, True)
    assert (config["denoiser"], config["anti_aliasing"], config["disable_viewport_updates"]) == (True, 3, True)
    assert "renderer" not in config  # each version's own
    assert "--exts/isaacsim.core.throttling/enable_async=false" in " ".join(config["extra_args"]).replace("--/", "--")
    values = IsaacSettings().carb_settings()
    assert values["/omni/replicator/captureOnPlay"] is False
    assert values["/rtx/post/dlss/execMode"] == 2  # quality: the others blur small pictures
    assert values["/rtx/rtpt/cached/enabled"] is values["/rtx/rtpt/lightcache/cached/enabled"] is False


def test_settings_are_read_from_words_and_kept():
    words = ["rt_subframes=32", "renderer=PathTracing", "denoiser=off", "dlss=performance", "multi_gpu=on", "gpu=1"]
    settings = IsaacSettings.parse([*words, "physics=physx", "deterministic=no", "anti_aliasing=off", "gpu=1"])
    config = settings.launch_config(NEWEST.launch_keys)
    assert (config["renderer"], config["denoiser"], config["multi_gpu"], config["active_gpu"]) == ("PathTracing", False, True, 1)
    assert "max_gpu_count" not in config
    values = settings.carb_settings()
    assert (values["/rtx/post/dlss/execMode"], values["/rtx/post/aa/op"]) == (0, 0)
    assert not any("rtpt" in path for path in values)
    assert IsaacSettings.from_dict(settings.to_dict()) == settings
    assert "rt_subframes=32" in settings.label()
    assert "gpu=1" not in settings.label()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("rt_subframe=3", "Did you mean 'rt_subframes'"), ("rt_subframes", "NAME=VALUE"), ("rt_subframes=0", "at least 1"),
        ("rt_subframes=x", "whole number"), ("denoiser=perhaps", "on or off"), ("renderer=Fast", "PathTracing"),
        ("physics=havok", "physx"), ("dlss=best", "quality"), ("restart_frames=-1", "0 or more"),
    ],
)  # fmt: skip
def test_a_wrong_setting_says_what_is_right(word, said):
    with pytest.raises((BackendError, UnknownNameError), match=said):
        IsaacSettings.parse([word])


def test_settings_are_applied_again_after_every_stage():
    with installed() as kit:
        backend = IsaacBackend(IsaacSettings(dlss="auto"))
        assert kit.launch_config["max_gpu_count"] == 1
        for index in range(2):  # an opened stage has its own: the fake's sets the mode to 0
            backend.load(scene_of(floor(), index=index))
            assert kit.settings["/rtx/post/dlss/execMode"] == 3
            assert kit.settings["/omni/replicator/captureOnPlay"] is False
        backend.render(camera_above())
        assert kit.steps == [{"rt_subframes": 16, "delta_time": 0.0, "pause_timeline": True}]
        backend.close()


@pytest.mark.parametrize(("text", "name"), [("5.1.0-rc.19", "5.1"), ("6.0.1.0", "6.0"), ("6.1.0", "6.1"), ("6.2.0.0", "6.2")])
def test_known_versions_are_taken_silently(text, name):
    found, warning = version_of(text)
    assert (found.name, warning) == (name, "")
    with installed(text), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert app.start().version is found


@pytest.mark.parametrize(("text", "name"), [("6.7.1", "6.2"), ("7.0.0", "6.2"), ("5.4.0", "5.1")])
def test_an_unknown_version_is_warned_of_with_what_is_assumed(text, name):
    with installed(text), pytest.warns(UserWarning, match=f"{text} is not known .* treated as {name}") as said:
        assert app.start().version.name == name
    for word in ("Replicator 1.1", "renderer Ra" if name == "5.1" else "renderer Real", "delta_time", "LabelsAPI", "doctor"):
        assert word in str(said[0].message)


def test_versions_without_a_number_and_too_old_ones():
    assert "does not say its version" in version_of("")[1]
    with pytest.raises(BackendError, match=r"4\.5\.0 is older than 5\.1"):
        version_of("4.5.0")


def test_a_renderer_that_a_version_lacks_is_warned_of():
    with installed("5.1.0"), pytest.warns(UserWarning, match=r"5\.1 is not known to have the renderer RealTimePathTracing"):
        app.start(IsaacSettings(renderer="RealTimePathTracing"))
