"""Word vectors become the embeddings of their pieces, are recorded, and are read only once."""

from __future__ import annotations

import random

import pytest
import torch

from nmt_lstm import ModelFolder
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.fit import fit
from nmt_lstm.training.module import TranslationModule
from nmt_lstm.training.pretrained_embeddings import start_embeddings


def write_vectors(path, words, width, seed=1):
    """Write a file with random vectors of words, and return them."""
    draw = random.Random(seed)
    vectors = {word: [round(draw.uniform(-9, 9), 3) for _ in range(width)] for word in words}
    lines = [f"{word} {' '.join(map(str, values))}\n" for word, values in vectors.items()]
    path.write_text("".join(lines), "utf-8")
    return vectors


def word_of(piece: str) -> str:
    """The word that a piece stands for."""
    return piece.removeprefix("▁").strip("￭")


def words_of(vocabulary) -> list[str]:
    """The words that are pieces."""
    pieces = vocabulary.pieces(range(260, vocabulary.size))
    return sorted({word_of(piece) for piece in pieces} - {""})


def covered(vocabulary, words) -> list[int]:
    """The pieces that stand for these words."""
    pieces = vocabulary.pieces(range(vocabulary.size))
    return [number for number, piece in enumerate(pieces) if number >= 260 and word_of(piece) in words]


@pytest.mark.parametrize("tied", ["all", "target", "none"])
def test_pieces_start_from_the_vectors_of_their_words(make_small_run, tmp_path, tied) -> None:
    run = make_small_run(f"model.tied_embeddings={tied}", "subwords.kind=word", "subwords.vocabulary_size=0")
    prepared = prepare(run)
    vocabulary, width = prepared.subwords.source, run.model.embedding_size
    words = words_of(vocabulary)[::2]
    files = {side: tmp_path / side for side in ("source", "target")}
    vectors = {
        side: write_vectors(path, words, width, seed) for seed, (side, path) in enumerate(files.items())
    }
    settings = TrainingSettings(source_vectors=files["source"], target_vectors=files["target"])
    fresh, module = (TranslationModule.of_run(run, prepared, total_steps=1) for _ in range(2))
    with torch.no_grad():
        for weight, other in zip(module.model.parameters(), fresh.model.parameters(), strict=True):
            weight.copy_(other)
    reports = start_embeddings(settings, module.model, prepared)
    before, after = fresh.model.state_dict(), module.model.state_dict()
    counts = {side: getattr(prepared.train, side).counts(vocabulary.size) for side in files}
    shares = {side: each / each.sum() for side, each in counts.items()}
    for report, (side, name) in zip(
        reports, (("source", "encoder.embedding.weight"), ("target", "target_embedding.weight")), strict=True
    ):
        assert report.side == side
        rows = covered(vocabulary, words)
        assert f"{len(rows):,} of {vocabulary.size:,} {side} pieces" in report.describe()
        assert 0 < report.running_share <= 1
        for piece, text in enumerate(vocabulary.pieces(range(vocabulary.size))):
            actual = after[name][piece]
            if piece not in rows:
                assert torch.equal(actual, before[name][piece])
                continue
            chosen = side
            if tied == "all":  # one embedding for both sides: the side that has the piece more often decides
                chosen = "source" if shares["source"][piece] > shares["target"][piece] else "target"
            factor = next(each.factor for each in reports if each.side == chosen)
            expected = [factor * value for value in vectors[chosen][word_of(text)]]
            assert actual.tolist() == pytest.approx(expected, rel=1e-4)
        if tied != "all":
            assert float(after[name][rows].square().mean().sqrt()) == pytest.approx(width**-0.5, rel=1e-3)
    assert torch.equal(after["output_weight"], after["target_embedding.weight"]) is (tied != "none")


def test_vectors_of_a_different_width_are_refused_before_anything_is_prepared(
    make_small_run, tmp_path, output
) -> None:
    write_vectors(tmp_path / "vectors", ["a"], 7)
    run = make_small_run(f"training.target_vectors={tmp_path}/vectors", f"data.prepared={tmp_path}/new")
    with pytest.raises(ConfigurationError, match=r"model\.embedding_size=7") as refused:
        fit(run, output)
    assert refused.value.key == "training.target_vectors"
    assert not (tmp_path / "new").exists()


def test_a_run_records_its_vectors_and_resumes_without_the_file(make_small_run, tmp_path, output) -> None:
    path = tmp_path / "vectors"
    vocabulary = prepare(make_small_run()).subwords.source
    write_vectors(path, words_of(vocabulary), 16)
    options = [f"training.source_vectors={path}", 'training.freeze=["encoder.embedding.weight"]']
    fit(make_small_run("training.max_steps=2", *options), output)
    folder = ModelFolder.read(output)
    record = folder.metrics["vectors"]["source"]
    assert record["file"] == "vectors"
    assert record["share_of_pieces"] == pytest.approx(record["pieces"] / vocabulary.size, abs=1e-3)
    assert folder.run.training.source_vectors == path
    before = folder.load_model().state_dict()["encoder.embedding.weight"]
    path.unlink()
    fit(make_small_run("training.max_steps=4", *options), output, resume=True)
    folder = ModelFolder.read(output)
    assert folder.metrics["vectors"]["source"] == record
    # The embedding is frozen, so that it still is that of the file.
    assert torch.equal(folder.load_model().state_dict()["encoder.embedding.weight"], before)
    with pytest.raises(DataError, match="does not exist"):
        fit(make_small_run("training.max_steps=4", *options), tmp_path / "new")
