"""What reading from Cirqll costs, measured: `python -m benchmarks`."""
