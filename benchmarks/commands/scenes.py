"""One scene to look at, and the catalogue of everything that scenes are made of."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.exits import EXIT_OK
from benchmarks.console import print_json


def scene(arguments: argparse.Namespace) -> int:
    """Makes one scene: an OpenUSD stage and a preview picture."""
    from sim.preview import write_preview, write_stage_preview

    if arguments.as_scene or arguments.index is None:
        stage = Path(arguments.suite)
        seen, notes = write_stage_preview(stage, size=arguments.size, out=arguments.out, backend=arguments.backend)
        print_json({**seen.to_dict(), "notes": notes}) if arguments.json else print("\n  note: ".join([seen.describe(), *notes]))
        return EXIT_OK
    preview = write_preview(
        arguments.suite,
        arguments.index,
        split=arguments.split,
        seed=arguments.seed,
        size=arguments.size,
        out=arguments.out,
        backend=arguments.backend,
    )
    print_json(preview.to_dict()) if arguments.json else print(preview.describe())
    return EXIT_OK


def catalogue(arguments: argparse.Namespace) -> int:
    """Draws the catalogue: every category in several variants, or with --looks every look; or prints its parameters."""
    from scenes.errors import RehearseError

    if arguments.parameters is not None:
        return _print_parameters([n for n in (arguments.parameters, *arguments.category) if n], as_json=arguments.json)
    if arguments.out is None:
        raise RehearseError("catalogue: expected the picture's file OUT.png, or --parameters [CATEGORY], got neither.")
    from sim.catalogue import write_catalogue, write_looks

    options = {"split": arguments.split, "seed": arguments.seed, "variants": arguments.variants, "cell_px": arguments.cell}
    if arguments.looks:
        sheet = write_looks(arguments.out, **options)
    else:
        sheet = write_catalogue(arguments.out, names=arguments.category, **options)
    print_json(sheet.to_dict()) if arguments.json else print(sheet.describe())
    return EXIT_OK


def _print_parameters(categories: list[str], *, as_json: bool) -> int:
    from scenes.parameters import parameters_toml

    text = parameters_toml(categories)
    if as_json:
        import tomllib

        print_json(tomllib.loads(text))
    else:
        print(text)
    return EXIT_OK
