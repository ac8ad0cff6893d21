"""``nmt-lstm generate``: the next word, or texts after a prompt, from a language model."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    LineFormat,
    OutputPath,
    Plugins,
    Precision,
    PrecisionName,
    SearchOverrides,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.lines import input_lines, output_stream
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.cli.text_input import text_lines
from nmt_lstm.cli.translate import prompted
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import columns, count_of, joined_names, json_text, printable
from nmt_lstm.text.lines import LineWarnings

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.inference.generated_text import Continuation, GeneratedText
    from nmt_lstm.inference.text_model import LanguageModel

__all__ = ["generate"]

EPILOG = """\b
Examples:
  nmt-lstm generate -m runs/lm --prompt "A man" -n 5
  nmt-lstm generate -m runs/lm --prompt "A man" --next 10
  nmt-lstm generate -m runs/lm --prompt "A man" --method beam
  nmt-lstm generate -m runs/lm --top-p 0.9 --seed 7 < prompts.txt
  nmt-lstm generate -m runs/lm --interactive
\b
Output:
  -n lines for each prompt, best first, each with the prompt at its beginning.
  --next N: a table of the N likeliest next words and their probabilities. A
  word may have several pieces; its probability includes that it ends there.
  The end of the text is one of them; JSON calls it </s>.
  --format jsonl: one JSON object per prompt.
  Texts drawn by sampling depend on the seed, the number of the prompt and the
  number of the text alone."""


MAX_NEXT = 500
"""Next words for which the search is exact within the memory of a small machine."""


LEAST_SHOWN = 0.0001
"""Smallest probability that is not written with an exponent."""

THE_END = "(end of the text)"


class Method(StrEnum):
    """How texts are written."""

    sampling = "sampling"
    beam = "beam"


class Unit(StrEnum):
    """What follows."""

    word = "word"
    piece = "piece"


def generate(
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="FOLDER", help="Folder of a language model.")
    ],
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            help='Beginning of the text, up to the end of a word; "" is none. [default: read stdin]',
        ),
    ] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Prompts, one per line; prompts.tsv:1 is a column."
        ),
    ] = None,
    output_file: OutputPath = None,
    count: Annotated[int, typer.Option("-n", min=1, metavar="N", help="Texts for each prompt.")] = 1,
    next_count: Annotated[
        int | None,
        typer.Option(
            "--next",
            min=1,
            max=MAX_NEXT,
            metavar="N",
            help="Show the N likeliest next words instead of texts.",
        ),
    ] = None,
    unit: Annotated[
        Unit, typer.Option("--unit", help="With --next: words, or pieces of the vocabulary.")
    ] = Unit.word,
    method: Annotated[
        Method | None,
        typer.Option(
            "--method", help="Draw texts, or search for the likeliest. [default: sampling, or the model's]"
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            min=0.01,
            max=100.0,
            metavar="X",
            help="Below 1, likely pieces are drawn more often.",
        ),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option("--top-k", min=0, metavar="N", help="Draw among the N likeliest pieces; 0 is all."),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            "--top-p",
            metavar="X",
            help="Draw among the likeliest pieces that together have this probability.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, metavar="N", help="Seed of sampling.")] = None,
    max_pieces: Annotated[
        int | None,
        typer.Option(
            "--max-pieces",
            min=1,
            metavar="N",
            help="Maximum number of pieces after the prompt. [default: 100]",
        ),
    ] = None,
    beam_size: BeamSize = None,
    overrides: SearchOverrides = None,
    batch_size: BatchSize = 64,
    line_format: Annotated[
        LineFormat, typer.Option("--format", help="Plain text, or JSON Lines.")
    ] = LineFormat.text,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Answer each prompt as soon as it is typed.")
    ] = False,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Write text with a language model, or show the next word."""
    early_checks.check_models([model], device, task="language-model")
    if prompt is not None and (input_file is not None or interactive):
        raise ConfigurationError("--prompt is one prompt; remove --input and --interactive to use it.")
    sampling = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": seed}
    given = {f"--{name.replace('_', '-')}" for name, value in sampling.items() if value is not None}
    if next_count is not None:
        others = {
            "-n": count > 1,
            "--method": method,
            "--beam-size": beam_size,
            "--max-pieces": max_pieces,
            "--set": overrides,
        }
        _refuse(
            "--next",
            {*given, *(name for name, value in others.items() if value)},
            "shows probabilities of the model",
        )
    elif unit is Unit.piece:
        raise ConfigurationError("--unit is for --next N; add it, or remove --unit.", key="--unit")
    if beam_size is not None or method is Method.beam:
        _refuse(
            "--beam-size" if method is None else "--method beam", given, "searches for the likeliest text"
        )
        method = method or Method.beam
    if method is Method.sampling and beam_size is not None:
        _refuse("--method sampling", {"--beam-size"}, "draws texts")
    if given:
        method = Method.sampling
    chosen = {"method": method.value if method else None, **sampling, "max_pieces": max_pieces}
    assignments = [f"search.{name}={value}" for name, value in chosen.items() if value is not None]
    search = early_checks.check_search([model], [*(overrides or ()), *assignments], beam_size=beam_size)
    _check_count(search, beam_size, count)
    from_stdin = prompt is None and (input_file is None or str(input_file) == "-")
    if from_stdin:
        check_stdin()
    at_terminal = from_stdin and sys.stdin.isatty()
    line_by_line = interactive or at_terminal
    early_checks.check_files(input_file)
    early_checks.check_output(output_file, (input_file,))
    load_plugins(plugin, trusted=[model] if trust_plugins else [])
    from nmt_lstm.inference.text_model import LanguageModel

    language_model = LanguageModel.load(model, device=device, precision=precision.value)
    if at_terminal:
        note("Type the beginning of a text after '>' and press Enter. Press ctrl-D to end.")
    if prompt is not None:
        prompts = iter([prompt])
    elif at_terminal:
        prompts = prompted(input_lines(input_file))
    else:
        prompts = text_lines(input_file, "continue")
    writer = _Writer(language_model, line_format, unit)
    with output_stream(output_file, inputs=(input_file,)) as stream:
        try:
            outputs: Iterator[str]
            if next_count is not None:
                outputs = (
                    writer.table(number, each, next_count) for number, each in enumerate(prompts, start=1)
                )
            else:
                arguments: dict[str, Any] = {"n": count, "search": search, "beam_size": beam_size}
                outputs = writer.texts(
                    prompts, 1 if line_by_line else batch_size, line_by_line=line_by_line, **arguments
                )
            for output in outputs:
                stream.write(f"{output}\n".encode())
                if line_by_line:
                    stream.flush()
        except KeyboardInterrupt:
            note("\nInterrupted.")
            raise typer.Exit(130) from None
    if writer.cut:
        limit = search.max_pieces
        note(
            f"{count_of(writer.cut, 'text')} ended after {limit:,} pieces, not where the model would; --max-pieces allows more."
        )


def _refuse(option: str, others: Collection[str], purpose: str) -> None:
    """Raise ConfigurationError if there are options that have no effect beside another one.

    Args:
        option: the other one.
        others: the options.
        purpose: what the other one does.
    """
    if others:
        names = joined_names(sorted(others))
        raise ConfigurationError(
            f"{option} {purpose}, so {names} would have no effect; remove {'it' if len(others) == 1 else 'them'}.",
            key=min(others),
        )


def _check_count(search: SearchSettings, beam_size: int | None, count: int) -> None:
    size = beam_size or search.beam_size
    if search.method == "beam" and count > size:
        raise ConfigurationError(
            f"-n {count} is more than the beam holds ({size}); add --beam-size {count}, or --method sampling.",
            key="-n",
            value=count,
        )


def _probability(value: float) -> str:
    """Return a probability with four decimals, or, where these would be zeros, two digits."""
    return f"{value:.4f}" if value >= LEAST_SHOWN else f"{value:.1e}"


class _Writer:
    """Turns results into output.

    Args:
        model: the language model.
        line_format: of the output.
        unit: of the table of what follows.
    """

    def __init__(self, model: LanguageModel, line_format: LineFormat, unit: Unit) -> None:
        self.model = model
        self.line_format = line_format
        self.unit = unit
        self._warnings = LineWarnings()
        self.cut = 0
        """Number of texts that the length limit ended."""

    def table(self, number: int, prompt: str, count: int) -> str:
        """Return what follows a prompt, likeliest first; `number` is that of the prompt."""
        find = self.model.next_words if self.unit is Unit.word else self.model.next_pieces
        found: list[Continuation] = find(prompt, count, line=number, warnings=self._warnings)
        if self.line_format is LineFormat.jsonl:
            values = [{"text": each.text, "probability": each.probability} for each in found]
            return json_text({"prompt": prompt, f"next_{self.unit.value}s": values})
        rows = [
            (_probability(each.probability), THE_END if each.is_end else printable(each.text))
            for each in found
        ]
        return columns([("probability", f"next {self.unit.value}"), *rows], right=(0,))

    def texts(
        self, prompts: Iterator[str], batch_size: int, *, line_by_line: bool, **arguments: Any
    ) -> Iterator[str]:
        """Yield the output for each prompt."""
        if not line_by_line:
            for texts in self.model.generate(prompts, batch_size=batch_size, **arguments):
                yield self._output(texts)
            return
        for number, prompt in enumerate(prompts, start=1):
            for texts in self.model.generate(
                [prompt], first_line=number, warnings=self._warnings, **arguments
            ):
                yield self._output(texts)

    def _output(self, texts: list[GeneratedText]) -> str:
        self.cut += sum(not text.is_complete for text in texts)
        if self.line_format is LineFormat.text:
            return "\n".join(text.text for text in texts)
        values = [
            {
                "text": text.text,
                "log_probability": text.log_probability,
                "score": text.score,
                "complete": text.is_complete,
                "pieces": text.pieces,
                "prompt_pieces": text.prompt_pieces,
            }
            for text in texts
        ]
        return json_text({"prompt": texts[0].prompt if texts else "", "texts": values})
