"""The two pumps, poll and deliver: order, not decisions."""
