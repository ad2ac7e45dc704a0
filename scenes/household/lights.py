"""Light in a room: the sun by a window, lamps at the ceiling and in their shades, and what comes from everywhere."""

from __future__ import annotations

from scenes.description import Draws
from scenes.floorplan import Piece
from scenes.household.outside import Outside
from scenes.household.shell import Shell
from scenes.lights import shown_colour
from scenes.scene import Light
from scenes.sky import OVERCAST_SHARE, Sky
from scenes.transforms import Vec3

MOST_LAMPS = 3


def make_lights(draws: Draws, shell: Shell, outside: Outside) -> tuple[tuple[Light, ...], Vec3]:
    """Returns the lights and the ambient light: by day the sun and weak lamps, else lamps, the first with a shadow."""
    day = bool(shell.windows) and outside.by_day
    lights = [_sun(draws, outside.sky_over(shell.windows[0][0]))] if day else []
    for k, position in enumerate(_lamp_places(shell)[:MOST_LAMPS]):
        strength = draws.number("light.lamp_intensity") * (0.6 if day else 1.6 if k == 0 else 1.0)
        lights.append(
            Light(
                name=f"lamp_{k + 1}", kind="lamp", position_m=position, direction=(0.0, 0.0, -1.0),
                colour=shown_colour(draws.number("light.kelvin")), intensity=strength, casts_shadow=not day and k == 0,
            )
        )  # fmt: skip
    level, (r, g, b) = draws.number("light.ambient"), shown_colour(draws.number("light.kelvin"))
    return tuple(lights), (level * r, level * g, level * b)


def _sun(draws: Draws, sky: Sky) -> Light:
    """Returns the light of that sky's sun, or of the bright part of a covered sky."""
    x, y, z = sky.to_sun()
    return Light(
        name="sun", kind="sun", position_m=(4 * x, 4 * y, 4 * z), direction=(-x, -y, -z),
        colour=shown_colour(draws.number("light.kelvin")),
        intensity=draws.number("light.sun_intensity") * (OVERCAST_SHARE if sky.kind == "overcast" else 1.0),
    )  # fmt: skip


def _lamp_places(shell: Shell) -> list[Vec3]:
    """Returns where lamps shine from: under each pendant, or from the ceiling, and two more along the room."""
    height = shell.plan.height_m
    hung = [_below(p) for p in shell.plan.pieces if p.place == "pendant"]
    x, y = 0.45 * shell.plan.half_x_m, 0.45 * shell.plan.half_y_m
    return [*hung, *([] if hung else [(0.0, 0.0, height - 0.05)]), (x, -y, height - 0.05), (-x, y, height - 0.05)]


def _below(piece: Piece) -> Vec3:
    from scenes.footprints import bounds_m

    x, y, z = piece.world_from_body.position_m
    low, _ = bounds_m(piece.shape)
    return x, y, z + float(low[2]) - 0.02
