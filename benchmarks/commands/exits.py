"""The statuses that a command ends with; `rehearse --help` and docs/commands.md name them."""

from __future__ import annotations

EXIT_OK, EXIT_FAILED_CHECK, EXIT_ERROR, EXIT_INVALID, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
EXITS_OF_VERDICTS = {"PASS": EXIT_OK, "FAIL": EXIT_FAILED_CHECK, "INVALID": EXIT_INVALID}
