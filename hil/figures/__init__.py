"""What a run says: latency with its bounds, where the time went, quality at the time of delivery, and all of it made again."""
