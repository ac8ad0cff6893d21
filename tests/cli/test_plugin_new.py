"""``plugins new``: the files of the template, and the commands to type next."""

from __future__ import annotations


def test_new_prints_the_next_commands_and_overwrites_nothing(command, tmp_path):
    finished = command("plugins", "new", "my-cell", "--in", tmp_path / "a folder")
    assert finished.status == 0
    assert (tmp_path / "a folder" / "my-cell" / "pyproject.toml").is_file()
    assert f"pip install '{tmp_path / 'a folder' / 'my-cell'}'" in finished.err
    assert "nmt-lstm quickstart --cell my-cell" in finished.err
    again = command("plugins", "new", "my-cell", "--in", tmp_path / "a folder")
    assert again.status == 2
    assert "exists" in again.error


def test_new_writes_an_attention_or_a_cell_with_the_chosen_base(command, tmp_path):
    assert command("plugins", "new", "my-look", "--attention").status == 0
    assert "(Attention)" in (tmp_path / "my-look/src/my_look/attention.py").read_text(encoding="utf-8")
    finished = command("plugins", "new", "my-scan", "--base", "linear")
    assert finished.status == 0
    assert "nmt-lstm quickstart --cell my-scan" in finished.err
    assert "(LinearCell)" in (tmp_path / "my-scan/src/my_scan/cell.py").read_text(encoding="utf-8")
    refused = command("plugins", "new", "my-other", "--attention", "--base", "cell")
    assert refused.status == 2
    assert "--attention" in refused.error
    assert not (tmp_path / "my-other").exists()


def test_new_writes_an_encoder(command, tmp_path):
    finished = command("plugins", "new", "my-reader", "--encoder")
    assert finished.status == 0
    assert "model.encoder.name=recurrent,my-reader" in finished.err
    assert "(Encoder)" in (tmp_path / "my-reader/src/my_reader/encoder.py").read_text(encoding="utf-8")
    for options, word in ((["--attention"], "--attention"), (["--base", "cell"], "--base")):
        refused = command("plugins", "new", "my-other", "--encoder", *options)
        assert refused.status == 2
        assert word in refused.error
