"""One flipped bit, or a lost end, in files of every kind that the product writes and reads: none is accepted silently.

After the damage, the command that reads the file must refuse it by name, or give exactly the results of the sound file; a
file that only records what happened may also be named in a warning. Left out are files that people write, such as run
files and plain text, which have nothing to compare them with; in compressed form they have a checksum, and a training run
that is resumed notices that they changed.

`NMT_LSTM_FLIPS` is the number of damaged files of each kind; a tenth of them are truncated.
"""

from __future__ import annotations

import gzip
import json
import lzma
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from flips import FLIPS, Outcome, check_kind, prepared_once, quiet_main

from nmt_lstm.files.output_parts import JOB_FILE
from nmt_lstm.text.text_file import create_bytes
from nmt_lstm.text.zstandard_file import LIBRARY

pytestmark = [pytest.mark.long, pytest.mark.spread]
MODELS = Path(__file__).parents[1] / "importing" / "models"


def translation_with(lines: Path, *options: object) -> Callable[[Path], Outcome]:
    """Return a function that translates with the model in a folder."""

    def read(folder: Path) -> Outcome:
        status, said, output = quiet_main("translate", "-m", folder, "-i", lines, "-b", 1, *options)
        return Outcome(status, said, output)

    return read


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> Path:
    """A short text."""
    path = tmp_path_factory.mktemp("lines") / "in"
    path.write_text("eins zwei .\ndrei vier fünf .\n")
    return path


def test_model_folders(random_model_folder, lines, tmp_path, counted):
    shutil.copytree(random_model_folder, tmp_path / "model")
    check_kind("model folders", tmp_path / "model", translation_with(lines), counted)


@pytest.mark.parametrize("precision", ["int8", "float32"])
def test_exported_folders(random_model_folder, lines, tmp_path, counted, precision):
    folder = tmp_path / "exported"
    prepared_once("export", "-m", random_model_folder, "-o", folder, "--precision", precision)
    check_kind(f"folders exported in {precision}", folder, translation_with(lines), counted)


@pytest.mark.skipif(FLIPS < 40, reason="exporting takes long; set NMT_LSTM_FLIPS to 40 or more")
def test_onnx_folders(random_model_folder, lines, tmp_path, counted):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
    folder = tmp_path / "exported"
    prepared_once("export", "-m", random_model_folder, "-o", folder, "--format", "onnx")
    check_kind("ONNX folders", folder, translation_with(lines), counted)


def test_language_models(language_model_folder, lines, tmp_path, counted):
    shutil.copytree(language_model_folder, tmp_path / "model")

    def read(folder: Path) -> Outcome:
        return Outcome(*quiet_main("score", "-m", folder, "-s", lines))

    check_kind("language models", tmp_path / "model", read, counted)


def test_boards(references, output_of, tmp_path, counted):
    (tmp_path / "references").write_text("\n".join(references) + "\n")
    for name in ("one", "two"):
        (tmp_path / name).write_text("\n".join(output_of(len(name), 0.2)) + "\n")
    texts = ("-s", tmp_path / "references", "-r", tmp_path / "references", "--source-language", "de")
    prepared_once("leaderboard", "init", tmp_path / "board", *texts, "--target-language", "en")
    for name in ("one", "two"):
        prepared_once(
            "leaderboard", "add", tmp_path / "board", "--system", name, "--hypotheses", tmp_path / name
        )

    def read(folder: Path) -> Outcome:
        status, said, shown = quiet_main("leaderboard", "show", folder, "--format", "json")
        if status:
            return Outcome(status, said, None)
        verified = quiet_main("leaderboard", "verify", folder)
        return Outcome(verified[0], said + verified[1] + verified[2].decode(), shown)

    check_kind("boards", tmp_path / "board", read, counted, files=lambda path: path.name != "board.toml")


@pytest.mark.parametrize("finished", [False, True])
def test_parts_of_translations(random_model_folder, tmp_path, counted, finished):
    work = tmp_path / "work"
    work.mkdir()
    (work / "in").write_text("".join(f"eins {'zwei ' * n}.\n" for n in range(8)))
    options = ("-m", random_model_folder, "-b", 1, "--part-lines", 2)

    def words(folder: Path) -> list[object]:
        return ["translate", "-i", folder / "in", "-o", folder / "out", *options]

    prepared_once(*words(work), *(("--resume",) if finished else ("--shard", "1/2")))

    def read(folder: Path) -> Outcome:
        status, said, _ = quiet_main(*words(folder), "--resume")
        return Outcome(status, said, None if status else (folder / "out").read_bytes())

    name = "finished translations" if finished else "parts of translations"
    check_kind(name, work, read, counted, files=lambda path: path.name != "in" or not finished)
    assert (work / "out.parts" / JOB_FILE).exists()


def test_lists_and_weights_for_rescoring(
    random_model_folder, language_model_folder, lines, tmp_path, counted
):
    work = tmp_path / "work"
    work.mkdir()
    best = ("-b", 3, "--n-best", 3, "--format", "jsonl")
    prepared_once("translate", "-m", random_model_folder, "-i", lines, "-o", work / "lists.jsonl", *best)
    (tmp_path / "references").write_text("one two .\nthree four five .\n")
    models = ("--lm", language_model_folder)

    def words(folder: Path) -> list[object]:
        return ["rescore", "-i", folder / "lists.jsonl", *models, "-w", folder / "weights.json"]

    prepared_once(*words(work), "--tune", tmp_path / "references")

    def read(folder: Path) -> Outcome:
        status, said, output = quiet_main(*words(folder), "--format", "jsonl")
        return Outcome(status, said, output)

    check_kind("n-best lists and weights of rescoring", work, read, counted)


COMPRESSIONS = [
    ".gz", ".xz", ".bz2", pytest.param(".zst", marks=pytest.mark.skipif(LIBRARY is None, reason="no library for .zst"))
]  # fmt: skip


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_compressed_text(random_model_folder, lines, tmp_path, counted, suffix):
    work = tmp_path / "work"
    work.mkdir()
    with create_bytes(work / f"in{suffix}") as file:
        file.write(lines.read_bytes() * 3)

    def read(folder: Path) -> Outcome:
        words = ("translate", "-m", random_model_folder, "-i", folder / f"in{suffix}", "-b", 1)
        return Outcome(*quiet_main(*words))

    check_kind(f"{suffix} files", work, read, counted)


def test_compressed_word_vectors(subwords, tmp_path, counted):
    from nmt_lstm.errors import NmtLstmError
    from nmt_lstm.text.piece_words import PieceWords
    from nmt_lstm.text.word_vectors import read_piece_vectors

    work = tmp_path / "work"
    work.mkdir()
    words = ("e", "n", "s", "z", "eins", "zwei")
    text = "".join(
        f"{word} {' '.join(str(number / 7 + len(word)) for number in range(8))}\n" for word in words
    )
    (work / "vectors.vec.gz").write_bytes(gzip.compress(text.encode()))
    (work / "vectors.vec.xz").write_bytes(lzma.compress(text.encode()))
    pieces = PieceWords(subwords.source)

    def read(folder: Path) -> Outcome:
        result = []
        for path in sorted(folder.iterdir()):
            try:
                vectors = read_piece_vectors(path, pieces)
            except NmtLstmError as problem:
                return Outcome(1, str(problem), None)
            result.append((vectors.pieces.tolist(), vectors.vectors.tobytes()))
        return Outcome(0, "", result)

    check_kind("compressed word vectors", work, read, counted)


def test_comparisons(parallel_files, tmp_path, counted):
    settings = {
        "training.max_steps": 4,
        "training.validate_every": 2,
        "training.precision": "float32",
        "subwords.vocabulary_size": 300,
        "model.embedding_size": 16,
        "model.encoder.hidden_size": 16,
        "model.decoder.hidden_size": 16,
        "data.train_source": parallel_files.train_source,
        "data.train_target": parallel_files.train_target,
        "data.valid_source": parallel_files.valid_source,
        "data.valid_target": parallel_files.valid_target,
        "data.prepared": tmp_path / "prepared",
    }
    (tmp_path / "run.toml").write_text("")
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    words += ["--test-source", parallel_files.valid_source, "--test-target", parallel_files.valid_target]

    def command(folder: Path) -> list[object]:
        return [
            "compare",
            tmp_path / "run.toml",
            "--cells",
            "gru,rnn",
            "--seeds",
            1,
            "--jobs",
            1,
            *words,
            "-o",
            folder,
        ]

    prepared_once(*command(tmp_path / "comparison"))

    def read(folder: Path) -> Outcome:
        status, said, shown = quiet_main(*command(folder))
        return Outcome(status, said, shown.replace(str(folder).encode(), b"FOLDER"))

    def files(path: Path) -> bool:
        parts = path.relative_to(tmp_path / "comparison").parts
        return parts[0] in ("records", "comparison.json") and path.name != "log.txt"

    check_kind("comparisons", tmp_path / "comparison", read, counted, files=files)


@pytest.mark.parametrize(
    "path", ["marian-gru/model.npz", "joeynmt-gru/best.ckpt", "opennmt-brnn/model_step_500.pt"]
)
def test_models_of_other_toolkits(tmp_path, counted, path):
    """Their archives have checksums; their text and safetensors have none."""
    work, name = tmp_path / "work", path.rpartition("/")[2]
    shutil.copytree(MODELS / path.partition("/")[0], work)
    vocabularies = [word for file in sorted(work.glob("vocabulary.*.yml")) for word in ("--vocabulary", file)]

    def read(folder: Path) -> Outcome:
        first = folder if path.startswith("joeynmt") else folder / name
        output = folder / "imported"
        status, said, _ = quiet_main("import", first, *vocabularies, "-o", output)
        if status:
            return Outcome(status, said, None)
        return Outcome(status, said, zlib.crc32((output / "model.safetensors").read_bytes()))

    check_kind(f"models of other toolkits, {name}", work, read, counted, files=lambda each: each.name == name)


def test_results_of_probes(tmp_path, counted):
    """Without cuts: a run whose line is missing is repeated."""
    from nmt_lstm.errors import NmtLstmError
    from nmt_lstm.lab.probes.results_file import ResultsFile

    work = tmp_path / "work"
    options = (
        "--tasks",
        "copy",
        "--cells",
        "rnn",
        "--lengths",
        "3",
        "--steps",
        "2",
        "--seeds",
        "1",
        "--learning-rates",
        "0.01",
    )
    status, errors, _ = quiet_main("probe", *options, "-o", work)
    if status:
        pytest.skip(errors)

    def read(folder: Path) -> Outcome:
        try:
            results = ResultsFile(folder).read()
        except NmtLstmError as problem:
            return Outcome(1, str(problem), None)
        return Outcome(0, "", json.dumps([each.model_dump(mode="json") for each in results]))

    check_kind(
        "results of probes", work, read, counted, files=lambda path: path.name == "results.jsonl", cut=False
    )
