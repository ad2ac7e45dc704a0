"""Isaac Sim as a backend: the same stage and the same truth as the embedded one, through Replicator's annotators.

Nothing here has been run on hardware by its authors; what was checked instead is said in docs/isaac-sim.md.
"""
