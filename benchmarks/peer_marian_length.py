"""Translates with Marian to a fixed length: ``python -P peer_marian_length.py PIECES AT_ONCE SOURCE OUTPUT OPTIONS...``.

Marian has no shortest translation, and its longest is a multiple of the longest source sentence of a batch. With a model
that cannot end a sentence and a multiple chosen for each batch, all translations have the same length. Batches are made
of sentences of similar lengths, as ``--maxi-batch-sort src`` makes them.
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
        longest = max(pieces[number] for number in numbers) + 1  # Marian counts END
        # Half a piece less, since Marian stops at the first length that is not below the product.
        factor = (length - 0.5) / longest
        found = translator.translate([lines[number] for number in numbers], **{"max-length-factor": factor})
        for number, translation in zip(numbers, found, strict=True):
            translations[number] = translation
    output.write_text("".join(f"{line}\n" for line in translations), "utf-8")


if __name__ == "__main__":
    main()
