"""Writes the built-in English-Japanese corpus, or checks that the committed files match the generator.

python data/builtin_enja/generate.py            # write train, valid and test (.en, .ja) beside this file
python data/builtin_enja/generate.py --check    # exit status 1 if a file differs
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from enja_grammar.corpus import make_corpus

SEED = 1
HERE = Path(__file__).resolve().parent


def files(seed: int) -> dict[str, str]:
    """Return the text of each file by name."""
    corpus = make_corpus(seed)
    texts = {}
    for split, pairs in corpus.splits.items():
        texts[f"{split}.en"] = "".join(english + "\n" for english, _ in pairs)
        texts[f"{split}.ja"] = "".join(japanese + "\n" for _, japanese in pairs)
    return texts


def main() -> int:
    """Write or check the files; return the exit status."""
    parser = argparse.ArgumentParser(description="Generate the built-in English-Japanese corpus.")
    parser.add_argument(
        "--check", action="store_true", help="compare with the existing files and write nothing"
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="a different corpus of the same grammar (default: %(default)s)"
    )
    parser.add_argument(
        "--output", type=Path, default=HERE, help="output folder (default: that of this script)"
    )
    arguments = parser.parse_args()
    different = []
    for name, text in files(arguments.seed).items():
        path = arguments.output / name
        if arguments.check:
            if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
                different.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    if different:
        print(
            f"These files differ from the output of the generator: {', '.join(different)}.", file=sys.stderr
        )
        print("Run `python data/builtin_enja/generate.py` and commit the result.", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
