"""Things on a table, from sparse to heaped, with distractors: the suite `tabletop-clutter`, described by a file."""
