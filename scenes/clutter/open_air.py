"""Tables without a room: on a terrace under a sky, whose sun and dome light them, or before the dome of a studio."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scenes.description import Draws
from scenes.dome import Dome
from scenes.household.shell import floor_body
from scenes.household.surfaces import Surface, floor_surface
from scenes.objects._furnishing import linear
from scenes.scene import Body, Light, Material
from scenes.sky import OVERCAST_SHARE, Sky, draw_sky, make_dome, sun_colour
from scenes.transforms import Vec3

OPEN_AIR = ("outdoors", "studio")
REACH_M, HEADROOM_M = 7.0, 5.0  # half of the plan in which cameras may stand
_STUDIO_HALF_M = 7.0
_THICK_M = 0.05
_SUN_AWAY_M = 2.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenAir:
    """A dome, the sky that it shows, and the floor under the table."""

    sky: Sky
    dome: Dome
    floor: Body

    def sun(self, draws: Draws, top_m: float) -> Light:
        """Returns the light of the dome's sun, or of the bright part of a covered sky, with the height of the table top."""
        x, y, z = self.sky.to_sun()
        return Light(
            name="sun", kind="sun", direction=(-x, -y, -z),
            position_m=(_SUN_AWAY_M * x, _SUN_AWAY_M * y, top_m + _SUN_AWAY_M * z),
            colour=(1.0, 1.0, 1.0) if self.sky.kind == "overcast" else sun_colour(self.sky),
            intensity=draws.number("light.sun_intensity") * (OVERCAST_SHARE if self.sky.kind == "overcast" else 1.0),
        )  # fmt: skip


def draw_open_air(draws: Draws, kind: str) -> OpenAir:
    """Draws a terrace under a sky of the file's kinds, or a studio."""
    sampler = draws.sampler
    name = "studio" if kind == "studio" else draws.name("sky.kind")
    elevation = draws.number("sky.dusk_elevation_deg" if name == "dusk" else "sky.sun_elevation_deg")
    turbidity, clouds, light = (draws.number(f"sky.{key}") for key in ("turbidity", "clouds", "light"))
    azimuth = float(sampler.rng.uniform(0, 2 * math.pi))
    sky = draw_sky(
        sampler, name, elevation_deg=elevation, azimuth_rad=azimuth, turbidity=turbidity, clouds=clouds
    )
    if kind == "studio":
        half: Vec3 = (_STUDIO_HALF_M, _STUDIO_HALF_M, _THICK_M)
        surface = Surface(look=Material(colour=linear(sky.ground), roughness=0.9), tile_m=1.0)
    else:
        half = (draws.number("background.terrace_half_m"), draws.number("background.terrace_half_m"), _THICK_M)
        surface = floor_surface(sampler, "terrace")
    return OpenAir(sky=sky, dome=_lit(make_dome(sky), light), floor=floor_body(half, surface))


def _lit(dome: Dome, level: float) -> Dome:
    """Returns the dome with the intensity at which its light from everywhere is as strong as the level."""
    r, g, b = dome.ambient()
    return replace(dome, intensity=level / (0.2126 * r + 0.7152 * g + 0.0722 * b))
