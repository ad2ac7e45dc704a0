"""What passes between host and device: messages, sockets, keys, packing, and the comparison of clocks."""
