"""The text of the comparison: split into pieces once, written for toolkits that read pieces, and joined again.

Functions that need more than the standard library run in a process of their own: the peak memory of every measured process
starts at that of its parent.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from peer_toolkit import BATCH_SENTENCES, SplitText
from text import Text, data_overrides

Result = TypeVar("Result")
SUBWORDS = {"subwords.kind": "bpe", "subwords.vocabulary_size": "8000", "subwords.joint": "true"}
SHORT = 20


@dataclass(frozen=True)
class Pieces:
    """The text in pieces.

    Args:
        whole: the whole text.
        sample: pairs with different sources, in full batches.
        folder: folder of all files.
    """

    whole: SplitText
    sample: SplitText
    folder: Path

    @property
    def test(self) -> Path:
        """The test text's source side, in pieces."""
        return self.folder / "test.source"


def in_process(function: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a new process and return its result."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(function, *arguments).result()


def reference(text: Text) -> Path:
    """Return the target side of the test text."""
    return text.test_source.with_suffix(text.valid_target.suffix)


def split(text: Text, folder: Path, sample_pairs: int) -> Pieces:
    """Prepare the text and write its pieces into a folder."""
    from nmt_lstm.config.load import make_run
    from nmt_lstm.text.preparation import prepare

    overrides = {**SUBWORDS, **data_overrides(text, folder / "prepared")}
    prepared = prepare(make_run({}, [f"{key}={value}" for key, value in overrides.items()]))
    vocabulary = prepared.subwords.source
    names = vocabulary.pieces(range(4, vocabulary.size))
    store = prepared.train
    pairs = [
        (vocabulary.pieces(store.source[number].tolist()), vocabulary.pieces(store.target[number].tolist()))
        for number in range(len(store))
    ]
    pairs = [pair for pair in pairs if all(_survives_splitting(side) for side in pair)]
    # OpenNMT-py drops pairs of a batch with equal sources, so the sample has none.
    different = list({tuple(source): (source, target) for source, target in pairs}.values())
    step = max(1, len(different) // sample_pairs)
    sample = different[::step][:sample_pairs]
    sample = sample[: len(sample) // BATCH_SENTENCES * BATCH_SENTENCES]
    valid = list(
        zip(
            [vocabulary.pieces(line) for line in vocabulary.encode_lines(prepared.valid_source[:SHORT])],
            [vocabulary.pieces(line) for line in vocabulary.encode_lines(prepared.valid_target[:SHORT])],
            strict=True,
        )
    )
    with text.test_source.open(encoding="utf-8", newline="\n") as stream:
        test = [
            vocabulary.pieces(line)
            for line in vocabulary.encode_lines([each.rstrip("\n") for each in stream])
        ]
    _write(folder / "test.source", test)
    (folder / "subwords.json").write_text(json.dumps(str(prepared.folder)), "utf-8")
    for side, lines in (("source", prepared.valid_source), ("target", prepared.valid_target)):
        (folder / f"short.{side}").write_text("".join(f"{line}\n" for line in lines[:SHORT]), "utf-8")
    return Pieces(
        whole=_write_pairs(folder / "whole", pairs, valid, names),
        sample=_write_pairs(folder / "sample", sample, valid, names),
        folder=folder,
    )


def _survives_splitting(pieces: Sequence[str]) -> bool:
    # The others split lines at any white space, some of which occurs within pieces.
    return 0 < len(pieces) == len(" ".join(pieces).split())


def _write(path: Path, lines: Sequence[Sequence[str]]) -> None:
    path.write_text("".join(" ".join(line) + "\n" for line in lines), "utf-8")


def _write_pairs(
    folder: Path,
    pairs: Sequence[tuple[list[str], list[str]]],
    valid: Sequence[tuple[list[str], list[str]]],
    vocabulary: Sequence[str],
) -> SplitText:
    folder.mkdir(parents=True, exist_ok=True)
    for name, side in (("train", pairs), ("short", valid)):
        _write(folder / f"{name}.source", [source for source, _ in side])
        _write(folder / f"{name}.target", [target for _, target in side])
    _write(folder / "vocabulary.txt", [[piece] for piece in vocabulary if _survives_splitting([piece])])
    return SplitText(folder, len(pairs), sum(len(target) + 1 for _, target in pairs))


def join(folder: Path, pieces: Path) -> list[str]:
    """Return the text of a file of pieces, without words that are not pieces."""
    from nmt_lstm.text.subwords import Subwords

    vocabulary = Subwords.load(Path(json.loads((folder / "subwords.json").read_text("utf-8")))).target
    numbers = {piece: number for number, piece in enumerate(vocabulary.pieces(range(vocabulary.size)))}
    with pieces.open(encoding="utf-8", newline="\n") as stream:
        return [
            vocabulary.decode([numbers[word] for word in line.split() if word in numbers]) for line in stream
        ]


def bleu(hypotheses: Sequence[str], reference_file: Path) -> tuple[float, str]:
    """Return the score and the signature of sacreBLEU."""
    from sacrebleu.metrics import BLEU

    with reference_file.open(encoding="utf-8", newline="\n") as stream:
        references = [line.rstrip("\n") for line in stream]
    if len(hypotheses) != len(references):
        raise ValueError(f"{len(hypotheses):,} translations of {len(references):,} lines")
    metric = BLEU(tokenize="char" if reference_file.suffix == ".ja" else "13a")
    score = metric.corpus_score(list(hypotheses), [references]).score
    return score, str(metric.get_signature())


def score_pieces(folder: Path, pieces: Path, reference_file: Path) -> tuple[float, str]:
    """Return the score of a file of pieces."""
    return bleu(join(folder, pieces), reference_file)


def score_lines(lines: Path, reference_file: Path) -> tuple[float, str]:
    """Return the score of a file of text."""
    with lines.open(encoding="utf-8", newline="\n") as stream:
        return bleu([line.rstrip("\n") for line in stream], reference_file)
