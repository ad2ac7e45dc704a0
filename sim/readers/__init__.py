"""Other people's data sets read as frames; `sim.dataset.Dataset.open` is the way in. Importing it starts nothing."""
