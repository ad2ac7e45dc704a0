import pytest

from hil.figures.claims import frames_needed
from hil.figures.sustained import LEAST_S
from hil.profiles import PROFILES, profile_named
from scenes.errors import UnknownNameError


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_long_enough_for_its_claim(name):
    profile = profile_named(name)
    assert profile.duration_s * 15 >= frames_needed(profile.claim)
    assert profile.name == name


def test_only_the_long_ones_can_show_a_sustained_rate():
    assert {name for name, profile in PROFILES.items() if profile.duration_s >= LEAST_S} == {"qualify", "soak"}


def test_a_changed_rule_changes_the_name():
    quick = profile_named("quick")
    assert quick.changed() is quick
    changed = quick.changed(duration_s=5.0).changed(claim=0.9).changed(warm_up_cap_s=7.0).changed(deadline_s=0.02)
    assert (changed.name, changed.duration_s, changed.claim) == ("quick, changed", 5.0, 0.9)
    assert (quick.deadline_s, changed.deadline_s) == (1 / 15, 0.02)
    assert (changed.warm_up.cap_s, changed.warm_up.frames) == (7.0, quick.warm_up.frames)


def test_an_unknown_profile_is_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'qualify'"):
        profile_named("qualfy")
