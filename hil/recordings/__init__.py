"""The compact table of a run, and how any recording is opened."""
