"""Agents in processes of their own, as the tests of the link have them."""

from tests.hil.conftest import start_agent

__all__ = ["start_agent"]
