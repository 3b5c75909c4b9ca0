"""How OpenMP's threads wait for each other, for the environment of every process that computes beside others.

Threads that spin while they wait take the cores from the page that shows the run, threads that sleep at once are slow to wake.
A short spin is nearly as fast as a long one, and yields (benchmarks/README.md, "Waiting"). Read when PyTorch is first imported.
"""

OPENMP_ENV = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
