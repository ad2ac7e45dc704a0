"""What runs on the host: a camera on the clock, one outcome for each frame, reconnection, recording off the timed path."""
