"""A few things on a table in a bare room: the suite `tabletop`, described by a file, on which the shipped network learned."""
