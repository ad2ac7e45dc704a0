"""Rooms of a home, furnished by relations: the suite `household`, whose every parameter stands in a file."""
