"""The same question put to other mappers: DRAM traffic, cycles, and the CPU time of an answer.

``python -m experiments.peers`` asks AccelForge and ZigZag what question.py says, each in an
environment of its own, and SCALE-Sim the part that it can be asked (fixed_schedule.py).

How a number becomes comparable: each adapter returns the peer's mapping beside its own counts;
replay.py walks that mapping literally, under the peer's rule for halos, and so does it with ours.
AccelForge keeps the halo of a neighbouring tile, ZigZag fetches it again, so each is held against
our answer under its own rule; AccelForge also keeps halos along the loops of the filter, which we
never do, so comparison.csv has its mapping by our rule too. The walk finds the peers' counts of
traffic exactly, partial sums both ways; AccelForge's cycles take fractions of tiles at the edges,
so a walk finds more.

Where the questions differ: both peers may give each operand a tile of its own at another loop,
which is a larger space than ours. AccelForge may unroll several loops along one axis; it cuts
the loops of an image and a filter by divisors only, and its mapper is exact within that. ZigZag
tries every order of at most six factors of the loops, for the three unrollings that fill the array
best, and is not exact. What each is allowed is in programs.py, losses are in comparison.csv.

Ours answers all four buffer sizes with one table, the peers one size a run. CPU seconds are those
of the process (``time.process_time``) with its children, without imports, files and start-up; ours
without the compilation of Numba, which is measured with nothing compiled before, and reported.
"""
