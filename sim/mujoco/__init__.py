"""MuJoCo as a backend: physics and picture on any machine with EGL."""
