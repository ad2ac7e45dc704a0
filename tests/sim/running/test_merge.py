"""Parts made apart and merged have the bytes of a single run; what is not a whole set of parts is refused by name."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rehearse
from benchmarks.commands.making import _run_plan
from scenes.errors import DatasetError
from sim.dataset import Dataset
from sim.generate import generate
from sim.running.merge import merge
from sim.running.run_plan import RunPlan, Shard
from sim.running.slurm import array_script, shard_of_task
from tests.sim.fake_frames import FakeSource
from tests.sim.running.test_executors import FailsAlways, reference  # noqa: F401  # a fixture
from tests.sim.test_generate import contents, make_spec


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> list[Path]:
    """The reference data set in three parts: scenes 0, 1 and 2 with 3."""
    root = tmp_path_factory.mktemp("parts")
    return [make_part(root, k) for k in (1, 2, 3)]


def make_part(root: Path, k: int, seed: int = 3, source=FakeSource, plan=None) -> Path:
    plan = plan or {}
    spec = make_spec(root / str(k), frames=12, workers=1, seed=seed)
    generate(spec, plan=RunPlan(shard=Shard(index=k, count=3), **plan), progress=False, open_source=source)
    return spec.out


@given(st.integers(0, 500), st.integers(1, 60))
def test_the_shards_have_every_scene_once_and_are_even(scenes, count):
    shards = [Shard(index=k, count=count).scenes(scenes) for k in range(1, count + 1)]
    assert [scene for shard in shards for scene in shard] == list(range(scenes))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "-1/3", "a/b", "1/3/5"])
def test_a_shard_that_makes_no_sense_is_refused(text):
    with pytest.raises(DatasetError, match="A shard is I/N"):
        Shard.parse(text)


@pytest.mark.parametrize("link", [False, True])
def test_merged_parts_have_the_bytes_of_a_single_run(parts, tmp_path, reference, link):  # noqa: F811
    before = [contents(part) for part in parts]
    summary = merge(list(reversed(parts)), tmp_path / "whole", link=link, progress=False)
    assert (summary.parts, summary.frames, summary.skipped_frames) == (3, 12, 0)
    assert contents(tmp_path / "whole") == reference
    assert [contents(part) for part in parts] == before
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    assert ((tmp_path / "whole" / "rgb_0004.png").stat().st_nlink == 2) == link
    Dataset.open(tmp_path / "whole").verify()


def test_a_part_says_what_it_is(parts, tmp_path):
    with pytest.raises(DatasetError, match=r"one part of a data set.*rehearse merge"):
        Dataset.open(parts[0])
    spec = make_spec(parts[0], frames=12, workers=1)
    assert generate(spec, plan=RunPlan(shard=Shard(index=1, count=3)), progress=False).frames_made == 0
    with pytest.raises(DatasetError, match="with part '1/3', but '2/3' was asked for"):
        generate(spec, plan=RunPlan(shard=Shard(index=2, count=3)), progress=False)
    with pytest.raises(DatasetError, match="with part '1/3', but 'all' was asked for"):
        generate(spec, progress=False)


def test_left_out_scenes_stay_left_out_by_name(tmp_path, reference):  # noqa: F811
    plan = {"retries": 0, "keep_going": True}
    made = [make_part(tmp_path, k, source=FailsAlways, plan=plan) for k in (1, 2, 3)]
    spec = make_spec(tmp_path / "single", frames=12, workers=1)
    generate(spec, plan=RunPlan(**plan), progress=False, open_source=FailsAlways)
    assert merge(made, tmp_path / "whole", progress=False).skipped_frames == 3
    assert contents(tmp_path / "whole") == contents(tmp_path / "single")
    assert json.loads((tmp_path / "whole" / "failures.jsonl").read_text())["scene"] == 2


def test_what_is_not_a_whole_set_of_parts_is_refused(parts, tmp_path):
    out = tmp_path / "whole"
    with pytest.raises(DatasetError, match=r"missing: 2/3"):
        merge([parts[0], parts[2]], out, progress=False)
    copy = shutil.copytree(parts[1], tmp_path / "copy")
    with pytest.raises(DatasetError, match=r"too much: 2/3"):
        merge([*parts, copy], out, progress=False)
    other = make_part(tmp_path, 2, seed=4)
    with pytest.raises(DatasetError, match="seed"):
        merge([parts[0], other, parts[2]], out, progress=False)
    (copy / "part.json").unlink()
    with pytest.raises(DatasetError, match=r"is not a part: it has no part\.json"):
        merge([parts[0], copy, parts[2]], out, progress=False)
    (copy / ".generate").mkdir()
    with pytest.raises(DatasetError, match="is not finished"):
        merge([parts[0], copy, parts[2]], out, progress=False)
    (copy / "part.json").write_text('{"schema_version": 9}')
    with pytest.raises(DatasetError, match="schema version 9 is not 1"):
        merge([parts[0], copy, parts[2]], out, progress=False)
    with pytest.raises(DatasetError, match="no part to merge"):
        merge([], out, progress=False)
    assert not out.exists()


def test_a_damaged_file_is_named_and_a_merge_goes_on(parts, tmp_path, reference):  # noqa: F811
    copy = shutil.copytree(parts[2], tmp_path / "copy")
    (copy / "rgb_0007.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"rgb_0007\.png is damaged"):
        merge([*parts[:2], copy], tmp_path / "whole", progress=False)
    assert not (tmp_path / "whole").exists()
    merge(parts, tmp_path / "whole", progress=False)
    assert contents(tmp_path / "whole") == reference


def test_a_killed_merge_goes_on(parts, tmp_path, root_dir, reference):  # noqa: F811
    code = (
        "import os, signal, sim.running.merge as m; from pathlib import Path\n"
        "real = m._take\n"
        "def take(source, digest, target, **options):\n"
        "    real(source, digest, target, **options)\n"
        "    if target.name == 'rgb_0007.png': os.kill(os.getpid(), signal.SIGKILL)\n"
        "m._take = take\n"
        f"m.merge([Path(p) for p in {[str(p) for p in parts]!r}], Path({str(tmp_path / 'whole')!r}), progress=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root_dir, check=False, env=os.environ | {"PYTHONPATH": str(root_dir)}
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "whole").exists()
    seen = []
    merge(parts, tmp_path / "whole", progress=lambda *at: seen.append(at))
    assert seen[0] == (6, 12)
    assert contents(tmp_path / "whole") == reference


def test_a_task_of_an_array_is_told_its_part_by_its_number():
    assert shard_of_task({"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "1"}, 8) == Shard(index=3, count=8)
    with pytest.raises(DatasetError, match=r"SLURM_ARRAY_TASK_ID is ''.*--print-script"):
        shard_of_task({}, 8)
    with pytest.raises(DatasetError, match="9/8"):
        shard_of_task({"SLURM_ARRAY_TASK_ID": "9"}, 8)


def test_the_printed_script_runs_the_command_of_every_task(tmp_path, capsys, monkeypatch):
    out = tmp_path / "my parts"
    words = ["generate", "tabletop", str(out), "--frames", "9", "--executor", "slurm-array", "--shards", "3"]
    assert rehearse.main([*words, "--print-script"]) == 0
    script = tmp_path / "job.sh"
    script.write_text(capsys.readouterr().out)
    assert "#SBATCH --array=1-3\n" in script.read_text()
    stub = tmp_path / "bin" / "rehearse"
    stub.parent.mkdir()
    stub.write_text('#!/bin/bash\nprintf "%q " "$@"\n')
    stub.chmod(0o755)
    path = f"{stub.parent}:{os.environ['PATH']}"
    said = subprocess.run(["bash", str(script)], capture_output=True, text=True, check=True, env={"PATH": path}).stdout
    arguments = rehearse.build_parser().parse_args(shlex.split(said))
    for task in (1, 2, 3):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(task))
        plan, folder = _run_plan(arguments)
        assert plan.shard == Shard(index=task, count=3)
        assert folder == out / f"part-000{task}-of-0003"
    assert not out.exists()
    merging = next(line for line in script.read_text().splitlines() if line.startswith("#   rehearse merge"))
    for task in (1, 2, 3):
        (out / f"part-000{task}-of-0003").mkdir(parents=True)
    shown = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {merging.removeprefix('#   ')}"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[2:] == [*(str(p) for p in sorted(out.iterdir())), f"{out}-merged"]


def test_a_script_without_an_array_is_refused(capsys):
    for words in (["--print-script"], ["--shards", "3"], ["--executor", "slurm-array"]):
        assert rehearse.main(["generate", "tabletop", "out", "--frames", "9", *words]) == 2
        assert "belong to --executor slurm-array" in capsys.readouterr().err
    assert "exec rehearse generate" in array_script(["generate"], out=Path("o"), parts=2, workers=1, name="n")
