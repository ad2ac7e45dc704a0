"""A suite's file: every mistake is named with file, key, what was expected and what came; equal content, equal digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenes.described import SHIPPED, load
from scenes.errors import SceneError
from scenes.household.schema import SCHEMA as HOUSEHOLD
from scenes.suites import SUITES, find_suite, make_scene

# What version 1 of a shipped suite says. A change of its file needs a new version, since ids carry only that.
DIGESTS = {
    "tabletop": "7b79750e095790b0bec60f42520dd8f6f2cbe75a96378e7dc076ca2bd82c3921",
    "household": "7075cce095dd6b32831d4088d48742ab8f3d9320df637d8f62660afde4ac61b1",
    "tabletop-clutter": "040f7cda70d92450312acdd453ccd3e571f3921b2b44df9294e2b6d1aed9db2c",
}


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", sorted(SHIPPED))
def test_shipped_files_give_every_parameter_and_are_what_their_version_says(kind):
    described = load(SHIPPED[kind])
    assert described.kind == kind
    assert SUITES[described.name].version == described.version
    assert described.digest() == DIGESTS[described.name]


def test_keys_that_are_left_out_are_as_in_the_shipped_file(tmp_path):
    mine = load(write(tmp_path, '[suite]\nkind = "household"\n[room]\nkind = "office"\n'))
    shipped = load(SHIPPED["household"])
    assert mine.name == "mine"
    differing = {key for key in shipped.distributions if mine.distributions[key] != shipped.distributions[key]}
    assert differing == {"room.kind"}
    assert set(mine.distributions) == {parameter.key for parameter in HOUSEHOLD}


def test_the_digest_is_of_what_a_file_says_not_how(tmp_path):
    first = load(write(tmp_path, '[suite]\nkind = "household"\n[room]\nkind = "office"\nrug = 0.5\n', "a.toml"))
    same = load(
        write(
            tmp_path,
            '# a note\n[suite]\nkind = "household"\nversion = 1\n[room]\nrug = 0.5\nkind = "office"\n',
            "b.toml",
        )
    )
    other = load(write(tmp_path, '[suite]\nkind = "household"\n[room]\nkind = "office"\nrug = 0.6\n', "c.toml"))
    assert first.digest() == same.digest() != other.digest()


def test_a_file_that_changes_is_read_again(tmp_path):
    path = write(tmp_path, '[suite]\nkind = "household"\n[room]\nrug = 0.5\n')
    before = find_suite(str(path)).description
    write(tmp_path, '[suite]\nkind = "household"\n[room]\nrug = 0.75\n')
    assert find_suite(str(path)).description != before


def test_the_id_of_a_users_scene_carries_the_digest_and_a_shipped_ones_does_not(tmp_path):
    path = write(tmp_path, '[suite]\nkind = "clutter"\nversion = 3\n[objects]\ncount = 2\n')
    scene = make_scene(str(path), split="val", seed=4, index=5)
    assert str(scene.id) == f"mine-v3+{find_suite(str(path)).description[:12]}/val/seed4/000005"
    assert find_suite("household").description == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[room]\n", r"mine\.toml: expected a table \[suite\]"),
        (
            '[suite]\nkind = "houshold"\n',
            r"suite\.kind: expected one of clutter, household, tabletop, got 'houshold' \(did you mean 'household'\?\)",
        ),
        ('[suite]\nkind = "household"\nversion = 0\n', r"suite\.version: expected a whole number"),
        ('[suite]\nkind = "household"\nverson = 1\n', r"suite\.verson: .*did you mean 'version'"),
        ('[suite]\nkind = "household"\n[rooms]\nkind = "office"\n', r"rooms\.kind: .*did you mean 'room\.kind'"),
        (
            '[suite]\nkind = "household"\n[room]\nkind = "ofice"\n',
            r"room\.kind \(which room it is\): .*'ofice'; did you mean 'office'\?",
        ),
        (
            '[suite]\nkind = "household"\n[room]\nwidth_m = { unifrm = [3, 4] }\n',
            r"room\.width_m: expected one of .*'unifrm'",
        ),
        (
            '[suite]\nkind = "household"\n[camera]\nheight_m = { uniform = [0.3, 16] }\n',
            r"camera\.height_m .*within 0\.15 \.\. 2, got 16",
        ),
        ('[suite]\nkind = "household"\n[room]\ndoors = { uniform = [0, 2] }\n', r"room\.doors .*whole numbers"),
        ('[suite]\nkind = "clutter"\n[objects]\ncategory = "chair"\n', r"objects\.category .*got 'chair'"),
        ("[suite\n", r"mine\.toml: expected a TOML file"),
    ],
)
def test_a_mistake_is_named_with_file_key_expected_and_got(text, sentence, tmp_path):
    with pytest.raises(SceneError, match=sentence):
        find_suite(str(write(tmp_path, text)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SceneError, match=r"Cannot read the suite .*absent\.toml"):
        find_suite(str(tmp_path / "absent.toml"))


def test_every_key_is_explained_in_the_docs(root_dir):
    from scenes.clutter.schema import SCHEMA as CLUTTER
    from scenes.tabletop.schema import SCHEMA as TABLETOP

    text = (root_dir / "docs" / "suites.md").read_text(encoding="utf-8")
    missing = [p.key for p in (*HOUSEHOLD, *CLUTTER, *TABLETOP) if f"`{p.key}`" not in text and not p.key.startswith("objects.")]
    assert missing == []
