"""A run as an MCAP file that Foxglove and Rerun open, and that every figure can be made from again, to the bit."""
