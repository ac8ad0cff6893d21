"""What the programs of this folder share: text, subwords, and the number of sentences that are translated."""

from __future__ import annotations

from pathlib import Path

from text import pairs

SENTENCES = 200
TRAINING_PAIRS = 4_000
# Share of nouns in the test text that no training sentence has.
UNKNOWN = 0.05


def write_text(folder: Path, source: str, target: str) -> None:
    """Write train, valid and test files with these suffixes."""
    sets = {
        "train": pairs(TRAINING_PAIRS, 1),
        "valid": pairs(50, 2),
        "test": pairs(SENTENCES, 3, unknown=UNKNOWN),
    }
    for name, chosen in sets.items():
        for number, suffix in enumerate((source, target)):
            lines = "".join(f"{pair[number]}\n" for pair in chosen)
            (folder / f"{name}.{suffix}").write_text(lines, "utf-8")


def without_optimizer(path: Path, key: str) -> None:
    """Remove the optimizer's state from a checkpoint of PyTorch, which is twice as large as the weights."""
    # Not every environment has it.
    import torch

    checkpoint = torch.load(path, weights_only=False)
    checkpoint[key] = {}
    torch.save(checkpoint, path)


def write_sentencepiece(folder: Path, *, marian: bool = False) -> None:
    """Write a SentencePiece model of both sides, joint.model, and the list of its pieces, joint.vocabulary.

    Args:
        folder: where to write; the training text is there.
        marian: with the special pieces as Marian numbers them.
    """
    # Not every environment has it.
    import sentencepiece

    special = {"eos_id": 0, "unk_id": 1, "bos_id": -1, "pad_id": -1} if marian else {}
    sentencepiece.SentencePieceTrainer.train(
        input=",".join(str(path) for path in sorted(folder.glob("train.*"))),
        model_prefix=str(folder / "joint"),
        vocab_size=200,
        model_type="bpe",
        minloglevel=2,
        # The tables of other rules are a hundred times as large as these models.
        normalization_rule_name="identity",
        **special,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "joint.model"))
    pieces = [processor.id_to_piece(number) for number in range(processor.vocab_size())]
    chosen = [piece for number, piece in enumerate(pieces) if not processor.is_control(number)]
    chosen = [piece for piece in chosen if piece != "<unk>"]
    (folder / "joint.vocabulary").write_text("".join(f"{piece}\n" for piece in chosen), "utf-8")
