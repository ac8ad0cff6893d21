"""Translates with Marian to a fixed length: ``python -P peer_marian_length.py PIECES AT_ONCE SOURCE OUTPUT OPTIONS...``.

Marian has no minimum length, and its maximum is a multiple of the longest source sentence in a batch. With a model that
cannot end sentences and a multiple chosen for each batch, all translations have the same length. Batches contain similar
lengths, as with ``--maxi-batch-sort src``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pymarian


def main() -> None:
    """Translate a file."""
    length, at_once = map(int, sys.argv[1:3])
    source, output = map(Path, sys.argv[3:5])
    translator = pymarian.Translator(" ".join(sys.argv[5:]))
    lines = source.read_text("utf-8").splitlines()
    pieces = [len(line.split()) for line in lines]
    translations = [""] * len(lines)
    by_length = sorted(range(len(lines)), key=pieces.__getitem__)
    for first in range(0, len(lines), at_once):
        numbers = by_length[first : first + at_once]
        longest = max(pieces[number] for number in numbers) + 1  # Marian counts the end
        # Half a piece less, since Marian stops at the first length that reaches the product.
        factor = (length - 0.5) / longest
        results = translator.translate([lines[number] for number in numbers], **{"max-length-factor": factor})
        for number, translation in zip(numbers, results, strict=True):
            translations[number] = translation
    output.write_text("".join(f"{line}\n" for line in translations), "utf-8")


if __name__ == "__main__":
    main()
