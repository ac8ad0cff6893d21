"""What ``evaluate`` and ``score`` do with a language model: perplexity of a text, and the log-probability of each line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import LineFormat, load_plugins
from nmt_lstm.cli.lines import output_stream, read_all_lines
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.text_input import check_text
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import columns, count_of, json_text

if TYPE_CHECKING:
    from nmt_lstm.evaluation.perplexity import TextLikelihood
    from nmt_lstm.inference.generated_text import ScoredText

__all__ = ["TextScoring", "likelihood_json", "likelihood_table", "refuse_options", "write_scores"]


class TextScoring(NamedTuple):
    """A language model and the text to score with it."""

    models: Sequence[Path]
    source: Path | None
    device: str
    precision: str
    batch_size: int
    plugins: Sequence[Path] | None
    trust_plugins: bool

    def scored(self, output_file: Path | None, *, may_be_empty: bool = False) -> list[ScoredText]:
        """Return the scores of all lines.

        Raises:
            ConfigurationError: the text is missing, or there are several models.
            DataError: the text cannot be read, or is empty and may not be.
        """
        if len(self.models) > 1:
            raise ConfigurationError(
                f"-m is given {len(self.models)} times, but language models cannot form an ensemble; name one model.",
                key="--model",
            )
        if self.source is None:
            raise ConfigurationError(
                "-s is missing: a language model needs the text to score.", key="--source"
            )
        early_checks.check_models(self.models, self.device, task="language-model")
        early_checks.check_files(self.source)
        early_checks.check_output(output_file, (self.source,))
        lines = read_all_lines(self.source, may_be_empty=may_be_empty)
        check_text(lines, self.source, "score")
        load_plugins(self.plugins, trusted=self.models if self.trust_plugins else [])
        from nmt_lstm.inference.text_model import LanguageModel

        model = LanguageModel.load(self.models[0], device=self.device, precision=self.precision)
        return model.score(lines, batch_size=self.batch_size)


def refuse_options(*, model: str = "a language model", **options: object) -> None:
    """Raise ConfigurationError if an option is set that has no meaning for a kind of model; names have _ for -."""
    for name, value in options.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise ConfigurationError(f"{option} has no meaning for {model}; leave it out.", key=option)


def write_scores(scoring: TextScoring, output_file: Path | None, line_format: LineFormat) -> None:
    """Write the log-probability of each line."""
    scored = scoring.scored(output_file, may_be_empty=True)
    with output_stream(output_file, inputs=(scoring.source,)) as stream:
        for each in scored:
            count = len(each.piece_log_probabilities)
            mean = each.log_probability / count
            line = f"{each.log_probability:.4f}\t{mean:.4f}"
            if line_format is LineFormat.jsonl:
                pieces = list(zip(each.pieces, each.piece_log_probabilities, strict=True))
                line = json_text(
                    {"log_probability": each.log_probability, "per_piece": mean, "pieces": pieces}
                )
            stream.write(f"{line}\n".encode())
    if not any(each.text.strip() for each in scored):
        if scored:
            note("All lines are blank, so there is no perplexity.")
        return
    likelihood, _ = _likelihood(scored, scoring.source)
    note(
        f"{count_of(likelihood.lines, 'line')}, {count_of(likelihood.pieces, 'piece')}: perplexity {likelihood.piece_perplexity:.3f} per piece, "
        f"{likelihood.word_perplexity:.3f} per word."
    )


def likelihood_table(scoring: TextScoring) -> str:
    """Return the perplexity of a text as a table, with what each number is the mean over."""
    likelihood, unknown = _likelihood(scoring.scored(None), scoring.source)
    rows = [
        ("perplexity per piece", f"{likelihood.piece_perplexity:.2f}", count_of(likelihood.pieces, "piece")),
        ("perplexity per word", f"{likelihood.word_perplexity:.2f}", count_of(likelihood.words, "word")),
        (
            "bits per character",
            f"{likelihood.bits_per_character:.3f}",
            count_of(likelihood.characters, "character"),
        ),
    ]
    notes = [
        f"Counts include the end of each of the {likelihood.lines:,} lines as a piece, a word and a character."
    ]
    if unknown:
        notes.append(
            f"{count_of(unknown, 'piece')} stand for words that the vocabulary does not have, without their spelling: the true "
            f"perplexity is higher."
        )
    return "\n".join([columns(rows, right=(1,)), *notes])


def likelihood_json(scoring: TextScoring) -> str:
    """Return the perplexity of a text as JSON."""
    likelihood, unknown = _likelihood(scoring.scored(None), scoring.source)
    values = {
        "lines": likelihood.lines,
        "log_probability": likelihood.log_probability,
        "pieces": likelihood.pieces,
        "words": likelihood.words,
        "characters": likelihood.characters,
        "unknown_pieces": unknown,
        "perplexity_per_piece": likelihood.piece_perplexity,
        "perplexity_per_word": likelihood.word_perplexity,
        "bits_per_character": likelihood.bits_per_character,
    }
    return json_text(values, indent=2)


def _likelihood(scored: Sequence[ScoredText], path: Path | None) -> tuple[TextLikelihood, int]:
    """Return the likelihood of the lines that are not blank, and their unknown pieces."""
    from nmt_lstm.evaluation.perplexity import TextLikelihood

    lines = [each for each in scored if each.text.strip()]
    if not lines:
        raise DataError(f"'{path}' has only blank lines; there is nothing to score.", path=path)
    if len(lines) < len(scored):
        note(f"{count_of(len(scored) - len(lines), 'blank line')} left out of the perplexity.")
    likelihood = TextLikelihood.of((each.text, each.log_probability, len(each.pieces) - 1) for each in lines)
    return likelihood, sum(each.unknown_pieces for each in lines)
