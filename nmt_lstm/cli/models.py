"""``nmt-lstm models``: the built-in models."""

from __future__ import annotations

from nmt_lstm.cli.messages import say
from nmt_lstm.plain_text import columns

__all__ = ["models"]

EPILOG = """\b
Example:
  nmt-lstm models
  echo "Tom is tall." | nmt-lstm translate -m builtin:en-ja"""


def models() -> None:
    """List the built-in models.

    Their names can replace a model folder in every command, as in -m builtin:en-ja.
    """
    from nmt_lstm.corpora.builtin import BUILTIN_MODELS, PREFIX
    from nmt_lstm.files.parsing import parse_json
    from nmt_lstm.files.regular import read_regular

    for model in BUILTIN_MODELS.values():
        folder = model.path
        metrics = parse_json(read_regular(folder / "metrics.json"))
        size = sum(file.stat().st_size for file in folder.iterdir())
        test = metrics["test"]
        rows = [
            ("languages", f"{model.source} to {model.target}"),
            ("trained on", model.about),
            ("test BLEU", f"{test['bleu']['score']:.1f}  {test['bleu']['signature']}"),
            ("size", f"{size / 1e6:.1f} MB, int8"),
            ("folder", str(folder)),
            ("try", f'echo "{model.example}" | nmt-lstm translate -m {PREFIX}{model.name}'),
        ]
        say(f"{PREFIX}{model.name}\n{columns(rows, indent='  ')}")
