"""Another tool's labels as our categories: by name or by the user's mapping; what is neither is void and named, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomllib

from scenes.errors import DatasetError, UnknownNameError
from scenes.taxonomy import TAXONOMY, Category

NO_CATEGORY = TAXONOMY[0]
# What Replicator writes where nothing is labelled; no label of anyone.
RESERVED = frozenset({"", "background", "unlabelled"})
_BY_NAME = {category.name: category for category in TAXONOMY}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Which of our categories a label means: `mapping` first (keys in lower case), then our own names."""

    mapping: Mapping[str, Category] = field(default_factory=dict)
    source: str = ""

    def category(self, label: str) -> Category:
        """Returns the category of a label, void where it has none."""
        return self.find(label) or NO_CATEGORY

    def find(self, label: str) -> Category | None:
        """Returns the category of a label, None where it is not known or where its parts name several of ours.

        A prim inside a labelled prim carries both labels, as "rectangle, cube". The whole is looked up first; else its
        parts have to name one category, and parts that name none are passed over.
        """
        words = " ".join(label.lower().split())
        if words in self.mapping:
            return self.mapping[words]
        found = {part.id: part for part in map(self._one, words.split(",")) if part is not None}
        if len(found) > 1:
            found = {key: part for key, part in found.items() if key}  # what is mapped to void says nothing
        return next(iter(found.values())) if len(found) == 1 else None

    def unknown(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Returns the labels, in order, that have no category and are not Replicator's own words."""
        return tuple(sorted({label for label in labels if label.lower() not in RESERVED and self.find(label) is None}))

    def describe_unknown(self, labels: Iterable[str]) -> str:
        """Returns a sentence that names the labels without a category, empty where there are none."""
        names = self.unknown(labels)
        if not names:
            return ""
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        where = f"nor in {self.source}" if self.source else "(map them with --labels FILE.toml)"
        return f"{', '.join(repr(name) for name in names[:8])}{more} are not in the taxonomy {where} and count as void"

    def unused(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Returns the entries of the user's mapping that none of these labels needs: a slip of the pen, most likely."""
        there = {" ".join(label.lower().split()) for label in labels}
        there |= {part.strip() for label in there for part in label.split(",")}
        return tuple(sorted(set(self.mapping) - there))

    def _one(self, part: str) -> Category | None:
        name = part.strip()
        if name in self.mapping:
            return self.mapping[name]
        name = name.replace("_", " ")
        # COCO's stuff is called wall-brick, floor-wood, table-merged: its first word counts where the whole is unknown.
        candidates = (name, name.replace("-", " "), name.partition("-")[0])
        return next((_BY_NAME[candidate] for candidate in candidates if candidate in _BY_NAME), None)


def read_labels(path: Path | str) -> LabelMap:
    """Reads a mapping: TOML with a table `labels` of their label = our category; "void" leaves a label out on purpose.

    Raises DatasetError that names the file and what is wrong in it.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"Cannot read the labels {path}: {error.strerror or error}.") from error
    except ValueError as error:
        raise DatasetError(f"{path} is not TOML: {error}.") from error
    table = values.get("labels")
    if not isinstance(table, dict) or set(values) != {"labels"}:
        raise DatasetError(
            f'{path} needs one table [labels] with lines such as crate = "box", got {", ".join(values) or "nothing"}.'
        )
    mapping: dict[str, Category] = {}
    for label, name in table.items():
        key = " ".join(label.lower().split())
        category = _category(path, label, name)
        if mapping.setdefault(key, category) != category:
            raise DatasetError(f"{path} maps {label!r} twice, since upper and lower case are one: to two categories.")
    return LabelMap(mapping=mapping, source=Path(path).name)


def _category(path: Path | str, label: str, name: Any) -> Category:
    if not isinstance(name, str):
        raise DatasetError(f"{path} maps {label!r} to {name!r}: expected a category's name as text.")
    try:
        return TAXONOMY.named(name.lower())
    except UnknownNameError as error:
        raise DatasetError(f"{path} maps {label!r} to what is no category. {error}") from error


def category_named(label: str) -> Category:
    """Returns our category of a label without a mapping, void where there is none."""
    return LabelMap().category(label)
