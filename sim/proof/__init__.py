"""Labels with a proof: an independent ray caster, what it found, and the gate between two backends."""
