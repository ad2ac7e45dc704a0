"""The self-test of a backend on the machine it runs on: analytic answers only; importing it starts nothing."""
