"""The text of the benchmarks: Multi30k if available, otherwise the built-in corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Text:
    """The files of a parallel text, and its name."""

    name: str
    train_source: Path
    train_target: Path
    valid_source: Path
    valid_target: Path
    test_source: Path


def find_text(folder: Path) -> Text:
    """Return Multi30k in `folder`, otherwise the built-in corpus."""
    folder = folder.resolve()  # commands run in different folders
    if (folder / "train.de").is_file():
        names = ("train.de", "train.en", "val.de", "val.en", "test_2016_flickr.de")
        return Text("Multi30k de-en", *(folder / name for name in names))
    from nmt_lstm.corpora.builtin import builtin_corpus_folder

    names = ("train.en", "train.ja", "valid.en", "valid.ja", "test.en")
    return Text("built-in en-ja", *(builtin_corpus_folder() / name for name in names))


def data_overrides(text: Text, prepared: Path) -> dict[str, str]:
    """Return the settings in the table [data] for this text."""
    return {
        "data.train_source": str(text.train_source),
        "data.train_target": str(text.train_target),
        "data.valid_source": str(text.valid_source),
        "data.valid_target": str(text.valid_target),
        "data.prepared": str(prepared),
    }
