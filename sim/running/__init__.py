"""How the scenes of a data set get made: by which processes, where, and what happens to one that fails."""
