"""Pure decisions: no await, I/O, clock, randomness, logging or third-party library."""
