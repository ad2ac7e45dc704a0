"""What each command does, a thin function per command; nothing heavy is imported before it is needed."""
