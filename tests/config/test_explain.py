"""The explained run file is a valid run file and contains every setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nmt_lstm.config.explain import explain_toml, template
from nmt_lstm.config.fields import item_table, options_of
from nmt_lstm.config.load import load_run, make_run

UNSET = {"subwords.model", "training.init_from", "training.source_vectors", "training.target_vectors"}


def test_it_loads_and_has_the_defaults(tmp_path):
    run = make_run(template(), folder=Path())
    file = tmp_path / "run.toml"
    file.write_text(explain_toml(run))
    assert load_run(file) == make_run(template(), folder=tmp_path)


def test_every_setting_has_its_meaning_allowed_values_and_default():
    text = explain_toml(make_run(template(), folder=Path()))
    unwrapped = " ".join(line.removeprefix("#").strip() for line in text.splitlines())
    for option in options_of():
        assert option.meaning, f"{option.path} has no docstring in the schema"
        assert option.meaning in unwrapped
        key = option.path.rpartition(".")[2]
        # A setting that has no value in this run is written as a comment.
        unset = option.path in UNSET
        if item_table(option.type) is not None:
            assert f"\n# [[{option.path}]]\n" in text
            continue
        line = f"[{option.path}]" if option.type == dict[str, Any] else f"\n{'# ' * unset}{key} = "
        assert line in text
    assert "# A number, above 0. Default: 0.001.\nlearning_rate = 0.001\n" in text
    assert (
        '# "unigram", "bpe", "character", "byte" or "word". Default: "unigram".\nkind = "unigram"\n' in text
    )


def test_the_values_of_a_run_are_written_below_the_defaults():
    text = explain_toml(make_run(template(), ["training.epochs=77"], folder=Path()))
    assert "Default: 10.\nepochs = 77\n" in text
