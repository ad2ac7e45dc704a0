"""What commands print and write, for people and for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_inspect_prints_json(run_here, dataset, tmp_path):
    done = run_here("inspect", dataset, "--sheet", tmp_path / "sheet.png", "--json")
    assert json.loads(done.stdout)["frames"] == 3
    assert (tmp_path / "sheet.png").is_file()


def test_scene_writes_a_stage_and_a_picture(run_rehearse, tmp_path):
    done = run_rehearse("scene", "tabletop", "1", "--size", "64x48", "--out", tmp_path, "--json")
    made = json.loads(done.stdout)
    assert Path(made["stage"]).read_bytes()[:8] == b"PXR-USDC"
    assert Path(made["picture"]).read_bytes()[:4] == b"\x89PNG"
    assert 3 <= sum(made["objects"].values()) <= 12


def test_a_closed_pipe_is_no_error(dataset, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "rehearse.py", "inspect", str(dataset), "--sheet", str(tmp_path / "sheet.png")]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False, env=buffered
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""
