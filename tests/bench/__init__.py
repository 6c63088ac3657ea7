"""Benchmarks: `make bench`. Figures, never tests: machines are noisy."""
