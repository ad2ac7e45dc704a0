"""Other people's data set formats, written from a data set of ours; `sim.convert` is the way in. Importing it starts nothing."""
