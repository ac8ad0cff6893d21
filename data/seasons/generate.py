"""Write a made-up series with a trend, two seasons and noise as CSV: the same files on any machine."""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

DAY, WEEK = 24, 168


def rows(count: int, seed: int) -> list[str]:
    """Return the header and a row for each hour."""
    # The numbers are rounded, so that the last bits of sin do not matter.
    random_numbers = random.Random(seed)
    lines, weather = ["hour,temperature,load"], 0.0
    for hour in range(count):
        weather = 0.95 * weather + random_numbers.gauss(0.0, 0.5)
        day, week = 2.0 * math.pi * hour / DAY, 2.0 * math.pi * hour / WEEK
        temperature = 12.0 - 6.0 * math.cos(day) + weather
        load = (
            200.0
            + 0.01 * hour
            - 30.0 * math.cos(day - 0.5)
            - 12.0 * math.cos(2.0 * day)
            + 10.0 * math.sin(week)
        )
        load += 3.0 * weather + random_numbers.gauss(0.0, 3.0)
        lines.append(f"{hour},{temperature:.1f},{load:.1f}")
    return lines


def main() -> None:
    """Write series.csv and, as the rows after it, test.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("seasons"), help="folder [seasons]")
    parser.add_argument("--rows", type=int, default=4_000, help="rows of series.csv [4000]")
    parser.add_argument("--test", type=int, default=1_000, help="rows of test.csv [1000]")
    parser.add_argument("--seed", type=int, default=1, help="of the noise [1]")
    arguments = parser.parse_args()
    lines = rows(arguments.rows + arguments.test, arguments.seed)
    arguments.output.mkdir(parents=True, exist_ok=True)
    parts = {"series.csv": lines[1 : arguments.rows + 1], "test.csv": lines[arguments.rows + 1 :]}
    for name, part in parts.items():
        (arguments.output / name).write_text(
            "\n".join([lines[0], *part]) + "\n", encoding="utf-8", newline="\n"
        )


if __name__ == "__main__":
    main()
