"""Settings of Isaac Sim belong to its backend alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.isaac.settings import IsaacSettings


def isaac_settings(arguments: argparse.Namespace) -> IsaacSettings | None:
    """Returns the settings of Isaac Sim where that is the backend; raises RehearseError for its options elsewhere."""
    from scenes.errors import RehearseError
    from sim.isaac.settings import IsaacSettings

    if arguments.backend == "isaac":
        return IsaacSettings.parse(arguments.isaac)
    if arguments.isaac:
        raise RehearseError("--isaac belongs to --backend isaac.")
    return None
