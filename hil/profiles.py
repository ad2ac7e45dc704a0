"""A profile fixes before a run how long it is and what it may claim, so that nobody can choose after a look at the figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hil.host.warm_up import WarmUp
from scenes.errors import UnknownNameError

DEADLINE_S = 1 / 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules of a run: how long the measured part is, the P(on time) it is to show, its warm-up, and when an answer is late.

    `about` says it in words.
    """

    name: str
    duration_s: float
    claim: float
    warm_up: WarmUp
    about: str
    deadline_s: float = DEADLINE_S

    def changed(
        self,
        *,
        duration_s: float | None = None,
        claim: float | None = None,
        warm_up_cap_s: float | None = None,
        deadline_s: float | None = None,
    ) -> Profile:
        """Returns the profile with some rules changed, under a name that says that they were."""
        if duration_s is None and claim is None and warm_up_cap_s is None and deadline_s is None:
            return self
        return replace(
            self,
            name=f"{self.name.removesuffix(', changed')}, changed",
            duration_s=self.duration_s if duration_s is None else duration_s,
            claim=self.claim if claim is None else claim,
            warm_up=self.warm_up if warm_up_cap_s is None else replace(self.warm_up, cap_s=warm_up_cap_s),
            deadline_s=self.deadline_s if deadline_s is None else deadline_s,
        )


_ALL = (
    Profile(
        name="look", duration_s=20.0, claim=0.95, warm_up=WarmUp(cap_s=15.0),
        about="20 s: a first look, may show that 95 % are on time",
    ),
    Profile(name="quick", duration_s=60.0, claim=0.99, warm_up=WarmUp(), about="1 min: may show 99 %; for every change"),
    Profile(
        name="qualify", duration_s=600.0, claim=0.999, warm_up=WarmUp(),
        about="10 min: may show 99.9 %, and that the rate is sustained",
    ),
    Profile(
        name="soak", duration_s=4 * 3600.0, claim=0.999, warm_up=WarmUp(),
        about="4 h: as qualify, for drift and for memory that grows",
    ),
)  # fmt: skip
PROFILES = {profile.name: profile for profile in _ALL}


def profile_named(name: str) -> Profile:
    """Returns one of PROFILES; raises UnknownNameError."""
    if name not in PROFILES:
        raise UnknownNameError("profile", name, PROFILES)
    return PROFILES[name]
