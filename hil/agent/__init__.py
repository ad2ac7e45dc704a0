"""What runs on the device: the agent, the engine in a process of its own, its watchdog, an emulator, telemetry."""
