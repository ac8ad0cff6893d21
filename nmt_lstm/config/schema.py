"""The run file's schema: every option with its type, range, default and meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nmt_lstm.config.piece_kinds import with_defaults_of_kind
from nmt_lstm.config.schema_base import Options, PositiveInt, Probability, Settings
from nmt_lstm.config.series_schema import SeriesSettings
from nmt_lstm.config.subword_schema import SubwordSettings
from nmt_lstm.config.tasks import TASKS, TaskName, with_defaults_of_task
from nmt_lstm.config.text_schema import (
    AVERAGE,
    CleaningSettings,
    CorpusSettings,
    DataSettings,
    ValidationSettings,
)
from nmt_lstm.config.training_schema import OptimizerSettings, ScheduleSettings, TrainingSettings
from nmt_lstm.config.wirings import WIRINGS, WiringName

__all__ = [
    "AVERAGE",
    "AttentionSettings",
    "CleaningSettings",
    "CorpusSettings",
    "DataSettings",
    "DecoderSettings",
    "EncoderSettings",
    "InsightSettings",
    "ModelSettings",
    "OptimizerSettings",
    "RunSettings",
    "ScheduleSettings",
    "SearchSettings",
    "SeriesSettings",
    "SubwordSettings",
    "TrainingSettings",
    "ValidationSettings",
]

RECURRENT = "recurrent"
TASK_MEANING = "What the model learns. " + " ".join(
    f"{name}: {task.model} to {task.purpose}." for name, task in TASKS.items()
)
WIRING_MEANING = "How attention and the cells are connected. " + " ".join(
    f"{name}: {wiring.summary}." for name, wiring in WIRINGS.items()
)


class EncoderSettings(Settings):
    """The encoder: by default a stack of recurrent layers over the source, to which all keys but `options` belong."""

    name: str = "recurrent"
    """Registered encoder, or package.module:Class. `nmt-lstm plugins` lists them."""
    options: Options = {}
    """Options of the encoder's constructor; those of "recurrent" are the keys below."""
    cell: str = "lstm"
    """Registered cell, or package.module:Class. `nmt-lstm plugins` lists them."""
    cell_options: Options = {}
    """Options of the cell's constructor."""
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of recurrent layers."""
    hidden_size: Annotated[int, Field(ge=1, le=65_536)] = 512
    """Width of each direction of each layer."""
    directions: Literal["bidirectional", "first", "unidirectional"] = "bidirectional"
    """All layers bidirectional, only the first (GNMT), or none."""
    residual: bool = False
    """Add each layer's input to its output, from the second layer on, where the widths are equal."""

    @property
    def is_recurrent(self) -> bool:
        """Whether this is the stock encoder, whose settings are the keys of this table."""
        return self.name == RECURRENT

    @model_validator(mode="after")
    def _options_belong_to_an_encoder(self) -> EncoderSettings:
        if self.is_recurrent and self.options:
            raise ValueError(
                f'options ({", ".join(self.options)}) belong to encoders other than "recurrent": set name, or use the keys '
                f"cell, layers, hidden_size, directions and residual"
            )
        return self


class DecoderSettings(Settings):
    """The decoder: a stack of recurrent layers over the target, with attention."""

    cell: str = "lstm"
    """Registered cell, or package.module:Class."""
    cell_options: Options = {}
    """Options of the cell's constructor."""
    layers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of recurrent layers."""
    hidden_size: Annotated[int, Field(ge=1, le=65_536)] = 512
    """Width of each layer."""
    residual: bool = False
    """Add each layer's input to its output, from the second layer on, where the widths are equal."""
    wiring: Annotated[WiringName, Field(description=WIRING_MEANING)] = "gnmt"
    bridge: Literal["learned", "mean", "linear", "copy", "zero"] = "learned"
    """Initial state: a projection, with tanh, of the encoder's last outputs or of the mean of its states; a projection
    without tanh; a copy of the encoder's last states, layer by layer; or zeros."""
    output_size: Annotated[int, Field(ge=0, le=65_536)] = 0
    """Width of the decoder's output; 0 is `embedding_size`, which tied embeddings need."""
    output_activation: Literal["tanh", "none"] = "tanh"
    """Function applied to the decoder's output, before the logits."""


class AttentionSettings(Settings):
    """The attention."""

    name: str = "bilinear"
    """Registered attention, or package.module:Class."""
    options: Options = {}
    """Options of the attention's constructor."""


class ModelSettings(Settings):
    """The network."""

    embedding_size: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Width of the piece embeddings."""
    tied_embeddings: Literal["none", "target", "all"] = "all"
    """Share the output weights with the target embedding ("target") and also the source embedding ("all")."""
    dropout: Probability = 0.2
    """Dropout on embeddings, between layers and before the output."""
    variational_dropout: bool = False
    """Use the same dropout mask at every position (Gal and Ghahramani 2016) instead of one per position."""
    word_dropout: Probability = 0.0
    """Probability that an input piece of either side is replaced by the unknown piece in training."""
    source_end: bool = True
    """Let the encoder read the end of the sentence, too, as a piece."""
    encoder: EncoderSettings = EncoderSettings()
    decoder: DecoderSettings = DecoderSettings()
    attention: AttentionSettings = AttentionSettings()


class InsightSettings(Settings):
    """What is measured during training. It changes no weight."""

    gradients: bool = False
    """Log gradient norms before and after clipping and how far gradients reach back; warn if they vanish or explode."""
    every: PositiveInt = 500
    """Steps between measurements of how far gradients reach back; each takes as long as 0.1 to 6 steps."""


class SearchSettings(Settings):
    """How translations are searched for, as used by translate unless its options override it."""

    method: Literal["beam", "sampling"] = "beam"
    """Search for the likeliest translation, or draw one from the model's probabilities."""
    beam_size: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Hypotheses per sentence; 1 is greedy search."""
    beam_groups: Annotated[int, Field(ge=1)] = 1
    """Equal parts of the beam that avoid each other's pieces (diverse beam search, Vijayakumar et al. 2018); 1 is off."""
    diversity: Annotated[float, Field(ge=0.0, le=100.0)] = 0.5
    """Of beam groups: what a piece costs for each hypothesis of earlier groups that has it at the same position."""
    length_penalty: Literal["average", "wu", "none"] = "average"
    """Normalisation of scores by length: score / length ** alpha, Wu et al. (2016), or none."""
    alpha: Annotated[float, Field(ge=0.0, le=5.0)] = 1.0
    """Strength of the length penalty."""
    coverage_penalty: Annotated[float, Field(ge=0.0)] = 0.0
    """Strength of Wu et al.'s coverage penalty; 0 is off."""
    min_length_ratio: Annotated[float, Field(ge=0.0)] = 0.0
    """Shortest translation, in pieces per source piece."""
    max_length_ratio: Annotated[float, Field(gt=0.0)] = 2.0
    """Longest translation, in pieces per source piece (plus 10)."""
    max_source_pieces: Annotated[int, Field(ge=1)] = 500
    """Longer source lines are truncated to this length, with a warning; 2000 by default with characters or bytes."""
    max_pieces: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Of a language model: maximum number of pieces that are written after the prompt."""
    language_model_weight: Annotated[float, Field(ge=0.0, le=10.0)] = 0.2
    """Weight of the language model's log-probabilities, if translation has one (`--lm`); 0 leaves it out."""
    no_repeat_ngram: Annotated[int, Field(ge=0, le=100)] = 0
    """No sequence of this many pieces occurs twice in a translation; 0 is off."""
    repetition_penalty: Annotated[float, Field(ge=1.0, le=10.0)] = 1.0
    """Pieces that were written become less likely (Keskar et al. 2019); 1 is off, 1.2 is customary."""
    temperature: Annotated[float, Field(ge=0.01, le=100.0)] = 1.0
    """Of sampling: below 1 likely pieces are drawn more often, above 1 less often."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """Of sampling: draw among this many of the likeliest pieces; 0 is all."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Of sampling: draw among the likeliest pieces that together have this probability; 1 is all."""
    samples: Annotated[int, Field(ge=1, le=10_000)] = 32
    """Of sampling: translations drawn to decide among, if `decision` is not the score."""
    decision: Literal["score", "chrf", "bleu"] = "score"
    """What the best translation is: that of the best score, or the one that agrees most with the others (minimum Bayes
    risk), measured by chrF or BLEU."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    """Of sampling: the same seed draws the same translations."""


class RunSettings(Settings):
    """All settings of a run."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    """Seed of everything that is random: initial weights, order of batches, dropout, subword sampling."""
    task: Annotated[TaskName, Field(description=TASK_MEANING)] = "translation"
    data: DataSettings
    series: SeriesSettings = SeriesSettings()
    subwords: SubwordSettings = SubwordSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    insight: InsightSettings = InsightSettings()
    search: SearchSettings = SearchSettings()

    @model_validator(mode="before")
    @classmethod
    def _use_defaults_of_task_and_kind(cls, values: Any) -> Any:
        return with_defaults_of_kind(with_defaults_of_task(values))

    @model_validator(mode="after")
    def _data_suit_the_task(self) -> RunSettings:
        task = TASKS[self.task]
        if problem := self.data.problem(paired=task.paired):
            raise ValueError(problem)
        if (self.data.targets == "labels") != (self.task == "classification"):
            raise ValueError(
                'data.targets must be "labels" for task = "classification", and "text" for every other task'
            )
        for key in task.refused:
            if getattr(self.data, key) is not None:
                raise ValueError(
                    f"'data.{key}' has no meaning for {task.model} (task = \"{self.task}\"); leave it out"
                )
        if self.data.stream and (problem := self._stream_problem()):
            raise ValueError(problem)
        decides, names = self.training.validation_set, self.data.validation_names()
        if decides not in ("", AVERAGE, *names):
            raise ValueError(
                f'training.validation_set = "{decides}" is not one of the validation sets; use "{AVERAGE}" or one of '
                f"{', '.join(names)}"
            )
        if self.training.source_vectors is not None and not task.paired:
            raise ValueError(
                f"training.source_vectors has no meaning for {task.model}, which has no source side; use training.target_vectors"
            )
        if self.training.metric not in task.metrics:
            allowed = " or ".join(f'"{name}"' for name in task.metrics)
            raise ValueError(
                f'training.metric = "{self.training.metric}" does not exist for {task.model}; use {allowed}'
            )
        return self

    @model_validator(mode="after")
    def _vocabularies_agree(self) -> RunSettings:
        if self.model.tied_embeddings == "all" and not self.subwords.joint:
            raise ValueError(
                'model.tied_embeddings = "all" needs subwords.joint = true; use "target" or "none" with separate '
                "vocabularies"
            )
        return self

    @model_validator(mode="after")
    def _optimizer_uses_its_settings(self) -> RunSettings:
        optimizer = self.training.optimizer
        for name in optimizer.unused_settings():
            raise ValueError(
                f"training.optimizer.{name} has no effect on '{optimizer.name}': remove it, or set what the optimizer "
                f"itself offers in training.optimizer.options"
            )
        return self

    def _stream_problem(self) -> str:
        """Return what training on a stream lacks; empty if nothing."""
        training = self.training
        if self.subwords.model is None:
            return (
                "a stream needs a vocabulary: set subwords.model to a SentencePiece model or a model folder"
            )
        if not training.validate_every:
            return "a stream has no epochs: set training.validate_every to the number of steps between validations"
        if training.schedule.name == "cosine" and not (training.max_steps or training.time_limit):
            return (
                'the end of a stream is not known, and the learning rate of the schedule "cosine" ends with the run: set '
                "training.max_steps, training.time_limit, or a different training.schedule.name"
            )
        if training.batch_pieces == "auto":
            return 'training.batch_pieces = "auto" needs text of a known size, which a stream has not: set a number'
        return ""
