"""The table [data] of the run file: training corpora, validation sets and cleaning."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, field_serializer

from nmt_lstm.config.schema_base import PositiveInt, Settings, TextPath, TextPaths, as_paths
from nmt_lstm.config.symbols import check_symbols
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of

__all__ = [
    "AVERAGE",
    "CleaningSettings",
    "CorpusSettings",
    "DataSettings",
    "ParallelSettings",
    "ValidationSettings",
]


AVERAGE = "average"
"""In place of the name of a validation set: the mean of all."""
Table = TypeVar("Table", bound="ParallelSettings")


class CleaningSettings(Settings):
    """Which training pairs are left out. The pairs that each rule leaves out are counted and reported."""

    enabled: bool = True
    """Whether to clean the training pairs at all."""
    drop_empty: bool = True
    """Leave out pairs with an empty or blank side."""
    max_pieces: Annotated[int, Field(ge=2)] = 150
    """Leave out pairs with more pieces than this on a side; 600 by default if pieces are characters or bytes."""
    max_ratio: Annotated[float, Field(ge=0.0)] = 5.0
    """Leave out pairs of 10 or more pieces whose sides differ in length by more than this factor; 0 is off."""
    drop_duplicates: bool = False
    """Keep only the first of identical pairs (of a corpus)."""


class ParallelSettings(Settings):
    """Two sides of a text, or the columns of a tab-separated file; the text of a language model has only a source."""

    name: str = ""
    """Its name in messages and logs; by default that of its first file."""
    source: TextPaths | None = None
    """Source side: a file, or a list of files; a column of a tab-separated file is written as "pairs.tsv:1"."""
    target: TextPaths | None = None
    """Target side, the translation of the source side line by line; a language model has none."""
    tsv: TextPaths | None = None
    """Tab-separated file with both sides, or a list of files, in place of source and target."""
    columns: Annotated[tuple[PositiveInt, PositiveInt], Field(strict=False)] = (1, 2)
    """Columns of the source and the target side in `tsv`, from 1."""
    tag: Annotated[str, AfterValidator(lambda tag: check_symbols([tag])[0] if tag else tag)] = ""
    """A piece that is put in front of every source line, such as "<bt>" or "<2de>"; translate with the same --tag."""

    def sides(self) -> tuple[tuple[Path, ...], tuple[Path, ...] | None]:
        """Return the files of the source side and of the target side; columns are written as "pairs.tsv:1".

        The second is None in text without pairs.
        """
        if self.tsv is not None:
            source, target = (
                tuple(path.with_name(f"{path.name}:{column}") for path in as_paths(self.tsv))
                for column in self.columns
            )
            return source, target
        return as_paths(self.source), None if self.target is None else as_paths(self.target)

    def files(self) -> tuple[Path, ...]:
        """Return all files."""
        source, target = self.sides()
        return (*source, *(target or ()))

    def problem(self, *, paired: bool) -> str:
        """Return what is wrong with the files, in words; empty if nothing is."""
        if not paired:
            if self.source is None or self.target is not None or self.tsv is not None:
                return "text without pairs has a source, but neither target nor tsv"
            if self.tag:
                return (
                    f"the tag '{self.tag}' stands in front of source lines, but text without pairs has none"
                )
            return ""
        if self.tsv is not None and (self.source is not None or self.target is not None):
            return "set either tsv, or source and target"
        if self.tsv is not None and self.columns[0] == self.columns[1]:
            return f"both sides are column {self.columns[0]}; set columns to two different ones"
        return _sides_problem("source", "target", self.source, self.target) if self.tsv is None else ""


class CorpusSettings(ParallelSettings):
    """A corpus of training text."""

    weight: Annotated[float, Field(gt=0.0, le=1_000.0)] = 1.0
    """How often an epoch has each pair: 2 is twice; with 0.5, an epoch has half of the pairs, the next the other half."""
    cleaning: CleaningSettings | None = None
    """Rules that differ from data.cleaning."""

    @field_serializer("cleaning")
    def _own_rules(self, cleaning: CleaningSettings | None) -> dict[str, Any] | None:
        """Only the rules that are set: the others are those of data.cleaning."""
        return None if cleaning is None else cleaning.model_dump(exclude_unset=True)

    def rules(self, general: CleaningSettings) -> CleaningSettings:
        """Return the rules of this corpus: its own, and otherwise the general ones."""
        if self.cleaning is None:
            return general
        own = {name: getattr(self.cleaning, name) for name in self.cleaning.model_fields_set}
        return general.model_copy(update=own)


class ValidationSettings(ParallelSettings):
    """A validation set."""

    target_language: str = ""
    """Code of its target language, which chooses the BLEU tokenizer; by default data.target_language."""


class DataSettings(Settings):
    """The text. Paths are relative to the run file's folder."""

    train_source: TextPaths | None = None
    """Source side of the training text, one sentence per line (plain, .gz, .xz, .bz2 or .zst): a file, or a list of files
    that are read one after the other. A column of a tab-separated file is written as "pairs.tsv:1". All of a language
    model's text."""
    train_target: TextPaths | None = None
    """Target side of the training text, the translation of the source side line by line; a language model has none."""
    corpora: tuple[CorpusSettings, ...] = Field((), strict=False)
    """Training text from several corpora, in place of train_source and train_target; each is a table [[data.corpora]]."""
    stream: str = ""
    """Training pairs from a stream of lines (source, tab, target), in place of text in files: "-" for standard input, or
    a named pipe."""
    valid_source: TextPaths | None = None
    """Source side of the validation text; several files are several sets. Without validation text, pairs of the training
    text are held out."""
    valid_target: TextPaths | None = None
    """Target side of the validation text."""
    validation: tuple[ValidationSettings, ...] = Field((), strict=False)
    """Several validation sets, in place of valid_source and valid_target; each is a table [[data.validation]]."""
    source_language: str = ""
    """Source language code, such as "de"; for display only."""
    target_language: str = ""
    """Target language code, such as "en"; "ja" and "zh" choose the BLEU tokenizer when `tokenize` is "auto"."""
    targets: Literal["text", "labels"] = "text"
    """What the target side is: text, or the label of each line, which the task "classification" chooses."""
    tokenize: str = "auto"
    """sacreBLEU's tokenizer for validation: "auto", "13a", "char", "ja-mecab", "zh", "intl", "none"."""
    exclude_validation: bool = False
    """Leave pairs out of training that are also in the validation text; on if validation text is held out."""
    prepared: TextPath = Path("prepared")
    """Folder of prepared text; text that is unchanged is found there by its fingerprint and not prepared again."""
    cleaning: CleaningSettings = CleaningSettings()

    def training_corpora(self) -> tuple[CorpusSettings, ...]:
        """Return the training text as corpora, each with its name; train_source and train_target are one corpus.

        There are none if a stream is trained on.

        Raises:
            ConfigurationError: there is no training text.
        """
        if self.stream:
            return ()
        if self.corpora:
            return _named(self.corpora)
        if self.train_source is None:
            raise ConfigurationError("data.train_source and data.train_target are missing; set both.")
        return _named([CorpusSettings(source=self.train_source, target=self.train_target)])

    @property
    def is_paired(self) -> bool:
        """Whether the text has two sides; if not, its lines become the target side, and the source side is empty."""
        if self.stream:
            return True
        if self.corpora:
            return self.corpora[0].target is not None or self.corpora[0].tsv is not None
        return self.train_target is not None

    @property
    def has_validation(self) -> bool:
        """Whether the settings name validation text."""
        return self.valid_source is not None or bool(self.validation)

    def validation_sets(self) -> tuple[ValidationSettings, ...]:
        """Return the validation sets, each with its name; each file of valid_source is a set.

        Raises:
            ConfigurationError: there are none; they have to be held out of the training text first (`text.held_out`).
        """
        if self.validation:
            return _named(self.validation)
        if self.valid_source is None or (self.valid_target is None and self.is_paired):
            missing = "data.valid_source and data.valid_target are missing; set both."
            raise ConfigurationError(missing if self.is_paired else "data.valid_source is missing; set it.")
        sources = as_paths(self.valid_source)
        targets = as_paths(self.valid_target) if self.valid_target is not None else (None,) * len(sources)
        pairs = zip(sources, targets, strict=True)
        return _named([ValidationSettings(source=source, target=target) for source, target in pairs])

    def validation_names(self) -> tuple[str, ...]:
        """Return the names of the validation sets; those of the corpora if they are held out of them."""
        texts: Sequence[ParallelSettings] = (
            self.validation_sets() if self.has_validation else self.training_corpora()
        )
        return tuple(text.name for text in texts)

    def tags(self) -> tuple[str, ...]:
        """Return the tags of all corpora and validation sets, each once."""
        return tuple(dict.fromkeys(each.tag for each in (*self.corpora, *self.validation) if each.tag))

    @property
    def is_tagged(self) -> bool:
        """Whether every line of the training text has a tag."""
        return bool(self.corpora) and all(corpus.tag for corpus in self.corpora)

    def training_files(self) -> tuple[Path, ...]:
        """Return all files of the training text."""
        return _files(self.training_corpora())

    def validation_files(self) -> tuple[Path, ...]:
        """Return all files of the validation text."""
        return _files(self.validation_sets()) if self.has_validation else ()

    def problem(self, *, paired: bool) -> str:
        """Return what is wrong with the files, in words; empty if nothing is.

        Args:
            paired: whether the task needs two sides.
        """
        if self.stream and (problem := self._stream_problem(paired=paired)):
            return problem
        if self.corpora and (self.train_source is not None or self.train_target is not None):
            return "set either 'data.train_source' and 'data.train_target', or [[data.corpora]]"
        if self.validation and (self.valid_source is not None or self.valid_target is not None):
            return "set either 'data.valid_source' and 'data.valid_target', or [[data.validation]]"
        if not self.corpora and not self.stream and self.train_source is None:
            meaning = " ".join((DataSettings.model_fields["train_source"].description or "").split())
            return f"'data.train_source' is required: {meaning.removesuffix('.')}"
        if not self.corpora and not self.stream and paired:
            problem = _sides_problem(
                "data.train_source", "data.train_target", self.train_source, self.train_target
            )
            if problem:
                return problem
        valid = self.valid_source, self.valid_target
        if valid != (None, None) and paired:
            problem = _sides_problem("data.valid_source", "data.valid_target", *valid)
            if problem:
                return f"{problem}; or set neither, to hold out pairs of the training text"
        for key, tables in (("data.corpora", self.corpora), ("data.validation", self.validation)):
            for number, table in enumerate(tables, 1):
                if problem := table.problem(paired=paired):
                    name = f" '{table.name}'" if table.name else ""
                    return f"[[{key}]] {number}{name}: {problem}"
            names = [table.name for table in tables if table.name]
            if AVERAGE in names:
                return f"[[{key}]]: the name '{AVERAGE}' has a meaning of its own; choose a different one"
            if len(set(names)) < len(names):
                repeated = next(name for name in names if names.count(name) > 1)
                return f"[[{key}]]: the name '{repeated}' is used twice; give each table its own"
        return ""

    def _stream_problem(self, *, paired: bool) -> str:
        if not paired or self.targets == "labels":
            return "'data.stream' holds pairs of lines; text without pairs and with labels is read from files"
        if self.corpora or self.train_source is not None or self.train_target is not None:
            return "set either 'data.stream', or training text in files"
        if not self.has_validation:
            return (
                "a stream needs validation text in files: set 'data.valid_source' and 'data.valid_target', or "
                "[[data.validation]]"
            )
        if self.cleaning.drop_duplicates:
            return "'data.cleaning.drop_duplicates' needs the whole text, which a stream never is; set it to false"
        return ""


def _sides_problem(
    source_key: str,
    target_key: str,
    source: Path | Sequence[Path] | None,
    target: Path | Sequence[Path] | None,
) -> str:
    missing = [key for key, side in ((source_key, source), (target_key, target)) if side is None]
    if missing:
        return f"'{missing[0]}' is missing: set both sides of the text"
    counts = len(as_paths(source)), len(as_paths(target))
    if counts[0] != counts[1]:
        return (
            f"'{source_key}' has {count_of(counts[0], 'file')}, but '{target_key}' has {counts[1]}; they are paired by "
            f"position, so give one target file for each source file"
        )
    return ""


def _files(tables: Iterable[ParallelSettings]) -> tuple[Path, ...]:
    return tuple(path for table in tables for path in table.files())


def _named(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Return the tables with a name each: their own, or that of the first file, with a number where it is taken."""
    taken = {table.name for table in tables}
    named = []
    for table in tables:
        name = table.name
        if not name:
            base = table.sides()[0][0].name.split(".")[0] or "text"
            name = base
            for number in itertools.count(2):
                if name not in taken:
                    break
                name = f"{base}-{number}"
            taken.add(name)
        named.append(table.model_copy(update={"name": name}))
    return tuple(named)
