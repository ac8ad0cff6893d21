"""``nmt-lstm rescore``: choose the best of n-best lists with further models, and tune their weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    Device,
    LineFormat,
    OutputPath,
    Plugins,
    Precision,
    PrecisionName,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.lines import name_of, output_stream, read_all_lines
from nmt_lstm.cli.messages import note, say
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.cli.text_input import text_lines
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import columns, count_of

if TYPE_CHECKING:
    from nmt_lstm.inference.nbest_lists import NBestList
    from nmt_lstm.inference.rescoring import Rescorer, RescoringWeights

__all__ = ["rescore"]

LINES_AT_ONCE = 512  # enough to sort their hypotheses by length
EPILOG = """\b
Examples:
  nmt-lstm translate -m runs/de-en --beam-size 10 --n-best 10 --format jsonl \\
      -i val.de -o val.jsonl
  nmt-lstm rescore -i val.jsonl --lm runs/lm --tune val.en -w weights.json
  nmt-lstm rescore -i test.jsonl --lm runs/lm -w weights.json -o test.en
\b
Features, of which the weighted sum decides:
  score    the score in the list; its weight is 1
  length   target pieces per source piece
  lm       --lm: mean log-probability of a piece in the language model
  model    --model: mean log-probability of a piece in further models
  reverse  --reverse: mean log-probability of a source piece in a model of
           the opposite direction
\b
Output:
  One line for each list, its best hypothesis; with --tune only the weights.
  --n-best N: N lines for each list; of a shorter list the last are empty.
  --format jsonl: the lists in their new order."""


class TunedMetric(StrEnum):
    """Metrics that weights can be tuned for."""

    bleu = "bleu"
    chrf = "chrf"


def rescore(
    weights_file: Annotated[
        Path,
        typer.Option("--weights", "-w", metavar="FILE", help="Weights, in JSON; --tune writes them."),
    ],
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="N-best lists of translate --format jsonl. [default: stdin]"
        ),
    ] = None,
    output_file: OutputPath = None,
    tune: Annotated[
        list[Path] | None,
        typer.Option(
            "--tune",
            metavar="FILE",
            help="Tune the weights with this reference of the lists; repeat for several references per line.",
        ),
    ] = None,
    metric: Annotated[
        TunedMetric, typer.Option("--metric", help="What --tune maximises.")
    ] = TunedMetric.bleu,
    tokenize: Annotated[
        str,
        typer.Option(
            "--tokenize",
            metavar="NAME",
            help="sacreBLEU tokenizer of --tune. auto is char for text without spaces, and 13a for other text.",
        ),
    ] = "auto",
    language_model: Annotated[
        Path | None,
        typer.Option("--lm", metavar="FOLDER", help="Language model of the target language; any pieces."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", "-m", metavar="FOLDER", help="Further translation model; repeat for an ensemble."
        ),
    ] = None,
    reverse: Annotated[
        Path | None,
        typer.Option("--reverse", metavar="FOLDER", help="Translation model of the opposite direction."),
    ] = None,
    n_best: Annotated[
        int, typer.Option("--n-best", min=1, metavar="N", help="Lines of text for each list.")
    ] = 1,
    line_format: Annotated[
        LineFormat, typer.Option("--format", help="Plain text, or JSON Lines.")
    ] = LineFormat.text,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Choose translations from n-best lists with further models.

    The weights of the models are tuned on a validation text, and then used for other texts.
    """
    references = tune or []
    translators = [*(model or []), *([reverse] if reverse else [])]
    folders = [*translators, *([language_model] if language_model else [])]
    if input_file is None or str(input_file) == "-":
        check_stdin()
    early_checks.check_models(model or [], device)
    early_checks.check_models([reverse] if reverse else [], device)
    early_checks.check_models([language_model] if language_model else [], device, task="language-model")
    early_checks.check_files(input_file, *references, *([] if references else [weights_file]))
    early_checks.check_output(output_file, (input_file, weights_file, *references))
    for path in (input_file, *references) if references else ():
        if path is not None and path.exists() and weights_file.exists() and path.samefile(weights_file):
            raise ConfigurationError(
                f"-w '{weights_file}' is also an input and would be overwritten; choose a different file.",
                key="--weights",
                value=weights_file,
            )
    from nmt_lstm.inference.nbest_lists import read_nbest_lists
    from nmt_lstm.inference.rescoring import RescoringWeights

    weights = None
    if not references:
        weights = RescoringWeights.read(weights_file)
        named = {"lm": language_model, "model": model, "reverse": reverse}
        weights.check([name for name, value in named.items() if value])
    name = name_of(input_file)
    lists = read_nbest_lists(text_lines(input_file, "rescore"), name)
    # What is not a list is reported before models are loaded; for tuning, all are needed at once.
    first = list(itertools.islice(lists, None if weights is None else 1))
    load_plugins(plugin, trusted=folders if trust_plugins else [])
    from nmt_lstm.inference.rescoring_models import load_rescorer

    rescorer = load_rescorer(
        language_model=language_model,
        models=model or [],
        reverse=reverse,
        device=device,
        precision=precision.value,
        batch_size=batch_size,
    )
    if weights is None:
        weights = _tuned(rescorer, first, references, name, metric.value, tokenize)
        weights.write(weights_file)
        note(f"Wrote the weights to '{weights_file}'.")
        if output_file is None:
            return
    lists = itertools.chain(first, lists)
    with output_stream(output_file, inputs=(input_file,)) as stream:
        while chunk := list(itertools.islice(lists, LINES_AT_ONCE)):
            for each in rescorer.rescore(chunk, weights):
                lines = [each.json_line()] if line_format is LineFormat.jsonl else _texts(each, n_best)
                stream.write("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _texts(ranked: NBestList, n_best: int) -> Iterator[str]:
    texts = itertools.chain((each.text for each in ranked.candidates), itertools.repeat(""))
    return itertools.islice(texts, n_best)


def _tuned(
    rescorer: Rescorer,
    lists: list[NBestList],
    references: list[Path],
    name: str,
    metric: str,
    tokenize: str,
) -> RescoringWeights:
    """Tune the weights and say what they are.

    Raises:
        ConfigurationError: the tokenizer is unknown.
        DataError: a reference does not fit the lists, or no list has two hypotheses.
    """
    from nmt_lstm.evaluation.scores import check_tokenizer
    from nmt_lstm.evaluation.words import guess_tokenizer
    from nmt_lstm.inference.rescoring import FEATURES

    if tokenize != "auto":
        check_tokenizer(tokenize)
    texts = [read_all_lines(path) for path in references]
    for path, lines in zip(references, texts, strict=True):
        if len(lines) != len(lists):
            raise DataError(
                f"'{path}' has {count_of(len(lines), 'line')}, but '{name}' has {count_of(len(lists), 'list')}; "
                f"give the reference of the text whose translations are in the lists.",
                path=path,
            )
    if not any(len(each.candidates) > 1 for each in lists):
        raise ConfigurationError(
            f"no list in '{name}' has more than one hypothesis to choose from; translate with --n-best 10.",
            key="--input",
        )
    chosen = guess_tokenizer(texts[0]) if tokenize == "auto" else tokenize
    weights = rescorer.tune(lists, texts, metric=metric, tokenize=chosen)
    rows = [[feature, f"{weight:.2f}", FEATURES[feature]] for feature, weight in weights.weights.items()]
    say(columns([["feature", "weight", ""], *rows], right=[1]))
    say(
        f"\n{weights.signature}\n"
        f"first hypotheses          {weights.before:.2f}\n"
        f"with the weights          {weights.after:.2f}\n"
        f"weights of other lines    {weights.held_out:.2f}   (each fifth with weights tuned on the others)"
    )
    if weights.held_out is not None and weights.before is not None and weights.held_out <= weights.before:
        note(
            "The weights did not help on lines that they were not tuned on; use a longer text or other models."
        )
    return weights
