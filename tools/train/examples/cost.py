"""Core hours for an archive, by simulation from measured rates.

python cost.py --rate 11.2 --rate 10.4 --rate 11.9 --pictures 1000000 --cores 16 --cores 64 [--price 0.05]

A rate is the pictures a second of one core, as the examples print it (`picturesPerCoreSecond`); give several, measured
at different times. Each picture of the archive then takes the time of one of these rates,
drawn anew for each batch of `--batch` pictures, and batches go to the core that is free first. Printed are the hours
until the last core ends, the core hours that are paid for, idle ones included, and, where a price is given, their cost:
the median and the 5th and 95th of a hundred simulations. Prices are yours; none is known here.
"""

from __future__ import annotations

import heapq
import random
import statistics
from argparse import ArgumentParser
from collections.abc import Sequence


def simulated(
    pictures: int, cores: int, rates: Sequence[float], start: float, batch: int, draw: random.Random
) -> float:
    """Hours until all pictures are done. start: seconds from a core's start to its first picture."""
    free = [start] * cores  # seconds at which each core is free: a heap, since all are equal
    for at in range(0, pictures, batch):
        took = min(batch, pictures - at) / draw.choice(rates)
        heapq.heappush(free, heapq.heappop(free) + took)
    return max(free) / 3600


def main() -> None:
    parser = ArgumentParser(description="Core hours for an archive, by simulation from measured rates.")
    parser.add_argument("--rate", type=float, action="append", required=True, help="pictures a second of one core")
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, action="append", help="number of cores; several make several rows")
    parser.add_argument("--price", type=float, help="of a core hour, in your currency")
    parser.add_argument("--start", type=float, default=60, help="seconds from a core's start to its first picture")
    parser.add_argument("--batch", type=int, default=1000, help="pictures that take the time of one rate")
    parser.add_argument("--runs", type=int, default=100)
    chosen = parser.parse_args()
    cores = chosen.cores or [1, 16, 64, 256]
    whole = [chosen.pictures, chosen.batch, chosen.runs, *cores]
    if min(*whole, 1) < 1 or min(chosen.rate) <= 0 or chosen.start < 0 or (chosen.price or 0) < 0:
        parser.error("rates and numbers must be positive, the start and the price not negative")
    print(f"| cores | hours | core hours{' | cost' if chosen.price is not None else ''} |")
    print(f"|---|---|---{'|---' if chosen.price is not None else ''}|")
    draw = random.Random(1)
    for count in cores:
        hours = sorted(
            simulated(chosen.pictures, count, chosen.rate, chosen.start, chosen.batch, draw) for _ in range(chosen.runs)
        )
        low, middle, high = hours[len(hours) // 20], statistics.median(hours), hours[-1 - len(hours) // 20]
        cells = [f"{count}", f"{middle:.2f} ({low:.2f} to {high:.2f})", f"{middle * count:.1f}"]
        if chosen.price is not None:
            cells.append(f"{middle * count * chosen.price:.2f}")
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
