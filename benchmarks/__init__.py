"""What reading from Cirqll and writing to it costs, measured: `python -m benchmarks`."""
