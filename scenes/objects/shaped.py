"""What makes a function a generator: its draws belong to a category, and what a suite's file says of it holds.

Where a file overrides nothing, the draws are the shipped ones. Otherwise the shipped object is drawn first and thrown
away, so that the random numbers after it, and with them all other objects, are the same with and without overrides.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from scenes.errors import SceneError
from scenes.objects.shape import ObjectShape
from scenes.sampler import ShapeSampler

P = ParamSpec("P")
T = TypeVar("T")


Make = Callable[Concatenate[ShapeSampler, P], T]


def shaped(category: str) -> Callable[[Make[P, T]], Make[P, T]]:
    """Decorates a generator of a category; one that is called inside another draws for that other's category."""

    def decorate(make: Make[P, T]) -> Make[P, T]:
        @wraps(make)
        def made(sampler: ShapeSampler, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return making(category, sampler, lambda inner: make(inner, *args, **kwargs))

        return made

    return decorate


def making(category: str, sampler: ShapeSampler, make: Callable[[ShapeSampler], T]) -> T:
    """Makes something of a category with the overrides that the sampler has for it.

    Raises SceneError, with the values drawn, where the generator cannot build what the overrides ask for.
    """
    if sampler.category:
        return make(sampler)
    if not sampler.overrides.get(category):
        return make(sampler.within(category))
    before = copy.deepcopy(sampler.rng)
    make(sampler.within(category, overridden=False))
    inner = sampler.within(category, rng=before)
    try:
        result = make(inner)
    except (ArithmeticError, LookupError, ValueError) as error:
        drawn = ", ".join(f"{name} = {value}" for name, value in inner.drawn.items())
        raise SceneError(
            f'[shape."{category}"]: expected values that an object can be built of, got {drawn} ({error}).'
        ) from error
    return _with_properties(result, inner) if isinstance(result, ObjectShape) else result  # type: ignore[return-value]  # the same type


def _with_properties(shape: ObjectShape, sampler: ShapeSampler) -> ObjectShape:
    mass, friction = sampler.afterwards("mass_kg"), sampler.afterwards("friction")
    shape = shape if mass is None else replace(shape, mass_kg=mass)
    return shape if friction is None else replace(shape, friction=friction)
