"""One agent for all faults of a file: it has to survive them anyway."""

import subprocess
import sys

import pytest

from tests.hil.conftest import SCRIPT, AgentProcess
from tests.hil.faults.under_fire import ENGINE_S


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    """An agent whose engine notes what it looks at and when, in `log`."""
    log = tmp_path_factory.mktemp("agent") / "log"
    command = [sys.executable, str(SCRIPT), str(ENGINE_S), f"log:{log}", "tcp://127.0.0.1:*"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline().split()
        assert line[:1] == ["READY"], process.stderr.read()
        made = AgentProcess(process, line[1])
        made.log = log
        yield made
        process.kill()
