"""The parameters of a clutter suite."""

from __future__ import annotations

from scenes.description import Parameter

SCHEMA: tuple[Parameter, ...] = ()
