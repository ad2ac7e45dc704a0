"""How hard each object is to see, in measured quantities, and scenes chosen for a wanted distribution of it."""
