"""Profiles are data: the shipped ones hold, a wrong value is told in one sentence, the digest counts what has an effect."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

from scenes.errors import RehearseError, SensorError, UnknownNameError
from sim.sensors import IDEAL, SensorProfile, load_profile, profile_names
from sim.sensors.library import parse_profile
from sim.sensors.profile import SECTIONS

PAGE = (Path(__file__).parents[3] / "docs" / "sensors.md").read_text()


def test_the_shipped_profiles_are_these_and_say_where_they_come_from():
    assert set(profile_names()) == {"ideal", "webcam", "stereo_d435", "structured_light", "time_of_flight"}
    for name in profile_names():
        profile = load_profile(name)
        assert profile.name == name
        assert profile.summary.endswith(".")
        assert profile.source
        assert not profile.calibrated
        assert pickle.loads(pickle.dumps(profile)) == profile
        assert hash(profile) == hash(load_profile(name))
        assert profile.is_ideal == (name == "ideal")
        assert f"`{name}`" in PAGE


def test_a_file_of_the_user_s_is_read_and_named_after_itself(tmp_path):
    file = tmp_path / "gripper_cam.toml"
    file.write_text("native_width_px = 640\n[noise]\nenabled = true\nbits = 10\n[depth]\nlost_by_category = {cup = 0.5}\n")
    profile = load_profile(file)
    assert (profile.name, profile.noise.bits, profile.native_width_px) == ("gripper_cam", 10, 640)
    assert profile.depth is not None
    assert profile.depth.lost_by_category == (("cup", 0.5),)
    assert load_profile(str(file)) == profile


def test_the_digest_counts_numbers_and_not_remarks():
    one = parse_profile('summary = "a"\n[noise]\nenabled = true', file="one.toml")
    two = parse_profile('source = "b"\n[noise]\nenabled = true\nbits = 12', file="two.toml")
    three = parse_profile("[noise]\nenabled = true\nbits = 11", file="three.toml")
    assert one.digest == two.digest != three.digest
    assert IDEAL.digest == load_profile("ideal").digest
    assert IDEAL.record() is None
    record = one.record()
    assert record is not None
    assert record["label"] == f"one ({one.digest[:16]})"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[noise]\nread_nose_e = 3", r"^x\.toml: \[noise\] has no key 'read_nose_e' \(did you mean 'read_noise_e'\?\)\.$"),
        ("[nose]\nbits = 3", r"^x\.toml: there is no section \[nose\] \(did you mean 'noise' or 'exposure'\?\)\.$"),
        ("[zzz]", r"there is no section \[zzz\] \(known are: lens, exposure"),
        ("jpeg = 3", r"^x\.toml: has no key 'jpeg' \(known are: name, summary"),
        ("[noise]\nbits = 33", r"^x\.toml: \[noise\] bits must be a whole number from 6 to 16, got 33\.$"),
        ("[noise]\nbits = 10.5", r"bits must be a whole number from 6 to 16, got 10\.5"),
        ("[noise]\nread_noise_e = 'low'", r"read_noise_e must be a number from 0 to 1000, got 'low'"),
        ("[noise]\nread_noise_e = nan", r"read_noise_e must be a number .* got nan"),
        ("[noise]\nread_noise_e = true", r"read_noise_e must be a number .* got True"),
        ("[noise]\nenabled = 1", r"enabled must be true or false, got 1"),
        ("[lens]\ndistortion = [0.1, 0.2]", r"\[lens\] distortion must be a list of 0 or 4 or 5 or 8 numbers, got 2 values"),
        ("[lens]\ndistortion = 0.1", r"distortion must be a list of 0 or 4 or 5 or 8 numbers, got 0\.1"),
        ("[lens]\nprincipal_point = [0.0, 9.0]", r"principal_point\[1\] must be a number from -0\.2 to 0\.2, got 9"),
        ("[lens]\nvignetting = 'cos'", r"vignetting must be one of 'none', 'cos4', 'polynomial', got 'cos'"),
        ("[depth]\nlost_by_category = {cap = 0.5}", r"lost_by_category names 'cap', which does not exist \(did you mean 'c"),
        ("[depth]\nlost_by_category = {cup = 2}", r"lost_by_category\.cup must be a number from 0 to 1, got 2"),
        ("[depth]\nlost_by_category = 3", r"must be a table of names"),
        ("[depth]\nmin_m = 2.0\nmax_m = 1.0", r"\[depth\] max_m must be above min_m = 2, got 1"),
        ("[depth]\ngrazing_deg = [80, 70]", r"grazing_deg must not fall"),
        ("[noise]\nbits = 8\nblack_level_dn = 200", r"black_level_dn must be below half of the 256 numbers"),
        ("noise = 3", r"\[noise\] must be a table of keys and values, got 3"),
        ("[noise", r"^x\.toml is not TOML: "),
        ("summary = 3", r"^x\.toml: summary must be text, got 3"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence(text, message):
    with pytest.raises(SensorError, match=message) as caught:
        parse_profile(text, file="x.toml")
    assert "\n" not in str(caught.value)


def test_names_and_files_that_are_not_there(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'webcam'"):
        load_profile("web_cam")
    with pytest.raises(SensorError, match=r"Cannot read the sensor profile .*none\.toml: No such file"):
        load_profile(tmp_path / "none.toml")
    (tmp_path / "raw.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RehearseError, match="not UTF-8"):
        load_profile(tmp_path / "raw.toml")


def test_the_defaults_are_within_their_own_ranges_and_change_nothing():
    for section, cls in SECTIONS.items():
        for field in dataclasses.fields(cls):
            assert field.metadata["says"], f"{section}.{field.name}"
    assert SensorProfile().is_ideal
    assert not parse_profile("[depth]", file="x.toml").is_ideal


def test_the_page_names_every_key_with_its_sentence():
    for section, cls in {"": SensorProfile, **SECTIONS}.items():
        for field in dataclasses.fields(cls):
            if field.metadata:
                assert f"| `{field.name}` |" in PAGE, f"{section}.{field.name}"
                assert field.metadata["says"] in PAGE, f"{section}.{field.name}"
