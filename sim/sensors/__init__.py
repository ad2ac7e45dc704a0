"""From the ideal frame to what a real camera gives: profiles that are data, and functions that apply them. Nothing starts."""

from __future__ import annotations

from scenes.lazy import lazy_names

_HOME = {
    "IDEAL": "sim.sensors.profile",
    "SensorProfile": "sim.sensors.profile",
    "apply_sensor": "sim.sensors.apply",
    "load_profile": "sim.sensors.library",
    "profile_names": "sim.sensors.library",
    "sensor_camera": "sim.sensors.apply",
}

__all__ = ["IDEAL", "SensorProfile", "apply_sensor", "load_profile", "profile_names", "sensor_camera"]

__getattr__, __dir__ = lazy_names(__name__, _HOME)
