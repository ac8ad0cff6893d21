"""A language model of nmt-lstm against n-gram models with Kneser-Ney smoothing, on the same pieces of the same text.

The n-gram models are estimated by kaldingram (the method of Kaldi and SRILM), and read by KenLM, which computes the
probabilities of the test text:

    pip install kaldingram kenlm
    python benchmarks/ngram.py -m runs/lm-en -s lm-train.en --test val.en

Every model predicts the same pieces and the end of each line, so perplexities per piece can be compared.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nmt_lstm.evaluation.perplexity import TextLikelihood
from nmt_lstm.inference.text_model import LanguageModel
from nmt_lstm.plain_text import columns
from nmt_lstm.text.text_file import read_lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-m", "--model", required=True, help="folder of the language model")
    parser.add_argument("-s", "--source", type=Path, required=True, help="text on which it was trained")
    parser.add_argument("--test", type=Path, required=True, help="text to predict")
    parser.add_argument("--orders", default="2,3,4,5", help="orders of the n-gram models")
    arguments = parser.parse_args()
    model = LanguageModel.load(arguments.model, device="cpu")
    lines = [line for line in read_lines(arguments.test) if line.strip()]
    rows = [row("recurrent", model.likelihood(lines), 0)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pieces(model, arguments.source, folder / "train")
        for order in map(int, arguments.orders.split(",")):
            start = time.perf_counter()
            estimate(folder / "train", order, folder / "model.arpa")
            seconds = time.perf_counter() - start
            print(f"{order}-gram: {seconds:.0f} s to estimate", file=sys.stderr)
            rows.append(row(f"{order}-gram", *predicted(model, lines, folder / "model.arpa")))
    header = ("model", "per piece", "per word", "bits per character", "unknown pieces")
    print(columns([header, *rows], right=None))


def write_pieces(model: LanguageModel, text: Path, output: Path) -> None:
    """Write the pieces of a text as numbers, one line per line: a piece may contain characters that separate words."""
    with output.open("w") as file:
        for line in read_lines(text):
            if line.strip():
                file.write(" ".join(map(str, model.vocabulary.encode(line))) + "\n")


def estimate(pieces: Path, order: int, output: Path) -> None:
    """Estimate an n-gram model."""
    command = ["train", "--ngram-order", str(order), "--text", str(pieces), "--lm", str(output)]
    subprocess.run([sys.executable, "-m", "kaldingram.cli", *command], check=True, stdout=subprocess.DEVNULL)


def predicted(model: LanguageModel, lines: list[str], arpa: Path) -> tuple[TextLikelihood, int]:
    """Return how likely an n-gram model finds lines, and the number of pieces that it does not know."""
    import kenlm  # not a dependency of nmt-lstm

    ngrams = kenlm.Model(str(arpa))
    scored, unknown = [], 0
    for line in lines:
        pieces = model.vocabulary.encode(line)
        scores = list(ngrams.full_scores(" ".join(map(str, pieces)), bos=True, eos=True))
        unknown += sum(is_unknown for _, _, is_unknown in scores)
        scored.append((line, math.log(10.0) * sum(score for score, _, _ in scores), len(pieces)))
    return TextLikelihood.of(scored), unknown


def row(name: str, likelihood: TextLikelihood, unknown: int) -> tuple[str, str, str, str, str]:
    """Return a row of the table."""
    return (
        name,
        f"{likelihood.piece_perplexity:.2f}",
        f"{likelihood.word_perplexity:.2f}",
        f"{likelihood.bits_per_character:.3f}",
        str(unknown),
    )


if __name__ == "__main__":
    main()
