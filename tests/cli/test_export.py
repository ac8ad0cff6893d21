"""``export``: exported models, the commands proposed next, and the folders that it does not overwrite."""

from __future__ import annotations

import shutil

import pytest

from nmt_lstm.checkpoint.model_folder import read
from nmt_lstm.cli.export import piece_pairs
from nmt_lstm.config.text_schema import ParallelSettings
from nmt_lstm.numerics import precision
from nmt_lstm.text.cleaning import pair_digest
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.training.output_folder import held_by_this_run


def test_exports_and_translates(command, random_model_folder, tmp_path):
    finished = command("export", "-m", random_model_folder, "-o", "fast.nmt")
    assert (finished.status, finished.out) == (0, b"")
    first, second, third = finished.err.splitlines()
    assert first.startswith("Shortlist: ")
    assert "% of the pieces" in first
    assert second.startswith("fast.nmt: ")
    assert second.endswith(" MiB in int8. To translate with it:")
    assert third == "  nmt-lstm translate -m fast.nmt < in.txt > out.txt"
    assert read(tmp_path / "fast.nmt").manifest.exported == "int8"
    translated = command("translate", "-m", "fast.nmt", stdin=b"eins zwei .\n\ndrei .\n")
    assert (translated.status, len(translated.lines), translated.lines[1]) == (0, 3, "")


def test_exports_graphs(command, random_model_folder, tmp_path):
    pytest.importorskip("onnxscript")
    finished = command("export", "-m", random_model_folder, "-o", "graphs", "--format", "onnx")
    assert (finished.status, finished.out) == (0, b"")
    first, second, third = finished.err.splitlines()
    assert "log probabilities differ by" in first
    assert second.startswith("graphs: ")
    assert second.endswith(" MiB in float32 ONNX graphs. To translate with it:")
    assert third == "  nmt-lstm translate -m graphs < in.txt > out.txt"
    lines = b"eins zwei .\n\ndrei .\n"
    exported, original = (
        command("translate", "-m", model, stdin=lines) for model in ("graphs", random_model_folder)
    )
    assert (exported.status, exported.lines) == (0, original.lines)


def test_no_text_is_needed_without_a_shortlist(command, random_model_folder, parallel_files, tmp_path):
    finished = command(
        "export", "-m", random_model_folder, "-o", "a", "--shortlist", 0, "--precision", "bf16"
    )
    assert finished.status == 0
    assert "hortlist" not in finished.err
    assert read(tmp_path / "a").manifest.exported == "bf16"


def test_held_out_pairs_are_excluded_from_the_shortlist(random_model_folder, parallel_files):
    folder, files = read(random_model_folder), (parallel_files.valid_source, parallel_files.valid_target)
    pairs = list(read_parallel(*files))
    text = ParallelSettings(source=files[0], target=files[1])
    all_pieces = list(piece_pairs(folder, text))
    held_out = {pair_digest(*pair) for pair in pairs[3:5]}
    assert list(piece_pairs(folder, text, excluded=held_out)) == all_pieces[:3] + all_pieces[5:]


def test_a_shortlist_can_be_learned_from_named_text(command, random_model_folder, parallel_files):
    finished = command(
        "export", "-m", random_model_folder, "-o", "a", "-s", parallel_files.valid_source, "-t", parallel_files.valid_target
    )  # fmt: skip
    assert finished.status == 0
    assert "100.0% of the pieces" in finished.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-s", "x"), "--source and --target go together"),
        (("-s", "none.de", "-t", "none.en"), "'none.de' does not exist."),
        (("--format", "onnx", "--precision", "bf16"), "float32 or int8, not bf16"),
        (("--format", "onnx", "--shortlist", 5), "without a shortlist"),
        (("--format", "onnx", "--frequent", 5), "without a shortlist"),
        (("--format", "onnx", "-s", "none.de", "-t", "none.en"), "without a shortlist"),
    ],
)
def test_contradictory_options_are_one_line(command, random_model_folder, arguments, message, tmp_path):
    finished = command("export", "-m", random_model_folder, "-o", "a", *arguments)
    assert finished.status in (1, 2)
    assert message in finished.error
    assert not (tmp_path / "a").exists()


def test_the_trained_model_is_not_overwritten(command, random_model_folder):
    finished = command("export", "-m", random_model_folder, "-o", random_model_folder)
    assert finished.status == 2
    assert "is the trained model itself" in finished.error
    read(random_model_folder).load_model()


def test_an_exported_model_is_replaced_only_with_overwrite(command, random_model_folder, tmp_path):
    arguments = ("export", "-m", random_model_folder, "-o", "a", "--shortlist", 0, "--precision")
    assert command(*arguments, "float32").status == 0
    refused = command(*arguments, "int8")
    assert refused.status == 2
    assert "--overwrite" in refused.error
    assert read(tmp_path / "a").manifest.exported == "float32"
    assert command(*arguments, "int8", "--overwrite").status == 0
    assert read(tmp_path / "a").manifest.exported == "int8"


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_no_trained_model_is_overwritten(command, random_model_folder, tmp_path, overwrite):
    other = shutil.copytree(random_model_folder, tmp_path / "other")
    finished = command("export", "-m", random_model_folder, "-o", other, "--shortlist", 0, *overwrite)
    assert finished.status == 2
    assert "has a trained model" in finished.error
    read(other).load_model()


def test_a_folder_in_use_by_a_training_run_is_an_error(command, random_model_folder, tmp_path):
    (tmp_path / "training").mkdir()
    with held_by_this_run(tmp_path / "training"):
        finished = command("export", "-m", random_model_folder, "-o", "training", "--shortlist", 0)
    assert finished.status == 1
    assert "is training into 'training'" in finished.err
    assert list((tmp_path / "training").iterdir()) == []


def test_a_model_still_in_training_is_exported_with_a_warning(command, random_model_folder, tmp_path):
    model = shutil.copytree(random_model_folder, tmp_path / "model")
    arguments = ("export", "-m", "model", "--shortlist", 0, "--precision", "float32", "-o")
    with held_by_this_run(model):
        finished = command(*arguments, "a")
    assert finished.status == 0
    assert finished.err.splitlines()[0].startswith("nmt-lstm: warning: 'model' is still being trained")
    assert "still being trained" not in command(*arguments, "b").err


def test_missing_training_text_is_an_error_with_advice(command, random_model_folder, tmp_path):
    folder = shutil.copytree(random_model_folder, tmp_path / "moved")
    run = folder / "run.toml"
    from nmt_lstm.checkpoint.manifest import MANIFEST, Manifest, make_manifest

    old = Manifest.read(folder)
    run.write_text(run.read_text().replace("train.src", "gone.src"))
    names = list(old.files)
    new = make_manifest(
        folder, names, vocabulary=old.vocabulary, plugins=old.plugins, parameters=old.parameters
    )
    (folder / MANIFEST).write_text(new.model_dump_json())
    finished = command("export", "-m", folder, "-o", "a")
    assert finished.status == 1
    assert "gone.src' does not exist." in finished.err
    assert "name it with -s and -t" in finished.err


def test_bf16_is_written_with_a_warning_if_it_is_slow(command, random_model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "bf16_works", lambda: False)
    finished = command(
        "export", "-m", random_model_folder, "-o", "a", "--shortlist", 0, "--precision", "bf16"
    )
    assert (finished.status, finished.out) == (0, b"")
    warning = finished.err.splitlines()[0]
    assert warning.startswith("nmt-lstm: warning: this processor (")
    assert "does not compute in bf16" in warning
    assert read(tmp_path / "a").manifest.exported == "bf16"
    refused = command(
        "translate", "-m", random_model_folder, "--device", "cpu", "--precision", "bf16", stdin=b"eins .\n"
    )
    assert (refused.status, refused.out) == (1, b"")
    (line,) = refused.err.splitlines()
    assert line.startswith("nmt-lstm: error: this processor (")


def test_the_default_is_float32_if_int8_is_slow(command, random_model_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.numerics.int8.int8_is_fast", lambda: False)
    finished = command("export", "-m", random_model_folder, "-o", "a", "--shortlist", 0)
    assert finished.status == 0, finished.err
    assert read(tmp_path / "a").manifest.exported == "float32"
    assert "exported in float32" in finished.err
    explicit = command(
        "export", "-m", random_model_folder, "-o", "b", "--shortlist", 0, "--precision", "int8"
    )
    assert read(tmp_path / "b").manifest.exported == "int8"
    assert "exported in float32" not in explicit.err


def test_the_proposed_command_trusts_the_copy_of_a_plugin(command, tiny_run, subwords, plugin_code, tmp_path):
    import torch

    from nmt_lstm.checkpoint.model_folder import write
    from nmt_lstm.model.build import build_model
    from nmt_lstm.registry import CELLS, load_plugin_file

    (tmp_path / "mine.py").write_text(plugin_code, encoding="utf-8")
    load_plugin_file(str(tmp_path / "mine.py"))
    encoder = tiny_run.model.encoder.model_copy(update={"cell": "mine"})
    run = tiny_run.model_copy(update={"model": tiny_run.model.model_copy(update={"encoder": encoder})})
    torch.manual_seed(1)
    state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
    write(tmp_path / "model", run=run, subwords=subwords, model_state=state, metrics={})
    exported = command("export", "-m", "model", "-o", "fast", "--shortlist", 0, "--plugin", "mine.py")
    assert exported.status == 0
    assert (
        exported.err.splitlines()[-1].strip()
        == "nmt-lstm translate -m fast --trust-plugins < in.txt > out.txt"
    )
    CELLS.unregister("mine")
    assert command("translate", "-m", "fast", stdin=b"eins .\n").status == 1
    assert command("translate", "-m", "fast", "--trust-plugins", stdin=b"eins .\n").status == 0


def test_an_exported_model_cannot_be_exported_again(command, tmp_path):
    finished = command("export", "-m", "builtin:en-ja", "-o", "again")
    assert finished.status == 1
    assert "was exported" in finished.error
    assert not (tmp_path / "again").exists()
