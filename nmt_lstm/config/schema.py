"""The run file's schema: every option with its type, range, default and meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from nmt_lstm.config.duration import check_duration
from nmt_lstm.config.wirings import WIRINGS, WiringName
from nmt_lstm.errors import ConfigurationError

__all__ = [
    "AttentionSettings",
    "CleaningSettings",
    "DataSettings",
    "DecoderSettings",
    "EncoderSettings",
    "InsightSettings",
    "ModelSettings",
    "OptimizerSettings",
    "RunSettings",
    "ScheduleSettings",
    "SearchSettings",
    "SubwordSettings",
    "TrainingSettings",
]

Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]
TextPath = Annotated[Path, Field(strict=False)]  # strict mode rejects the strings of a TOML file
Duration = Annotated[str, AfterValidator(check_duration)]
Options = dict[str, Any]
WIRING_MEANING = "How attention and the cells are connected. " + " ".join(
    f"{name}: {wiring.summary}." for name, wiring in WIRINGS.items()
)


class Settings(BaseModel):
    """Base of all tables: unknown keys are rejected, types are not coerced, values are frozen."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class CleaningSettings(Settings):
    """Which training pairs are left out. The pairs that each rule leaves out are counted and reported."""

    enabled: bool = True
    """Whether to clean the training pairs at all."""
    drop_empty: bool = True
    """Leave out pairs with an empty or blank side."""
    max_pieces: Annotated[int, Field(ge=2)] = 150
    """Leave out pairs with more pieces than this on a side."""
    max_ratio: Annotated[float, Field(ge=0.0)] = 5.0
    """Leave out pairs of 10 or more pieces whose sides differ in length by more than this factor; 0 is off."""
    drop_duplicates: bool = False
    """Keep only the first of identical pairs."""


class DataSettings(Settings):
    """The parallel text. Paths are relative to the run file's folder."""

    train_source: TextPath
    """Source side of the training text, one sentence per line (plain, .gz, .xz, .bz2 or .zst)."""
    train_target: TextPath
    """Target side of the training text, the translation of the source side line by line."""
    valid_source: TextPath | None = None
    """Source side of the validation text. Without validation text, pairs of the training text are held out."""
    valid_target: TextPath | None = None
    """Target side of the validation text."""
    source_language: str = ""
    """Source language code, such as "de"; for display only."""
    target_language: str = ""
    """Target language code, such as "en"; "ja" and "zh" choose the BLEU tokenizer when `tokenize` is "auto"."""
    tokenize: str = "auto"
    """sacreBLEU's tokenizer for validation: "auto", "13a", "char", "ja-mecab", "zh", "intl", "none"."""
    exclude_validation: bool = False
    """Leave pairs out of training that are also in the validation text; on if validation text is held out."""
    prepared: TextPath = Path("prepared")
    """Folder of prepared text; text that is unchanged is found there by its fingerprint and not prepared again."""
    cleaning: CleaningSettings = CleaningSettings()

    def validation_text(self) -> tuple[Path, Path]:
        """Return the two sides of the validation text.

        Raises:
            ConfigurationError: none is set; it has to be held out of the training text first (`text.held_out`).
        """
        if self.valid_source is None or self.valid_target is None:
            raise ConfigurationError("data.valid_source and data.valid_target are missing; set both.")
        return self.valid_source, self.valid_target


class SubwordSettings(Settings):
    """SentencePiece subwords."""

    model: TextPath | None = None
    """A SentencePiece model for both sides, or a folder with a model's vocabularies; by default learnt from the text."""
    kind: Literal["unigram", "bpe"] = "unigram"
    """SentencePiece's algorithm."""
    vocabulary_size: Annotated[int, Field(ge=0, le=500_000)] = 0
    """Number of pieces (of each side, if not joint); 0 chooses by the size of the corpus, as without a run file."""
    joint: bool = True
    """One vocabulary for both languages (needed by tied_embeddings = "all")."""
    character_coverage: Annotated[float, Field(ge=0.98, le=1.0)] = 0.9999
    """Share of the text's characters that get a piece of their own; the others are spelled in bytes."""
    sampling: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Subword sampling in training: unigram smoothing (0.1-0.5) or BPE dropout (0.1); 0 is off."""
    normalise_invisible: bool = True
    """Replace no-break and other special spaces with plain spaces, and drop soft hyphens and zero-width characters."""


class EncoderSettings(Settings):
    """The encoder: a stack of recurrent layers over the source."""

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
    bridge: Literal["learned", "zero"] = "learned"
    """Initial decoder state: a learned projection of the encoder's summary, or zeros."""


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
    encoder: EncoderSettings = EncoderSettings()
    decoder: DecoderSettings = DecoderSettings()
    attention: AttentionSettings = AttentionSettings()


class OptimizerSettings(Settings):
    """The optimizer."""

    name: Literal["adam", "adamw"] = "adam"
    """Adam, or AdamW with decoupled weight decay."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 0.001
    """Peak learning rate."""
    betas: tuple[Probability, Probability] = Field((0.9, 0.999), strict=False)
    """Adam's decay rates."""
    epsilon: Annotated[float, Field(gt=0.0)] = 1e-8
    """Adam's denominator term."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight decay (L2 for adam, decoupled for adamw)."""


class ScheduleSettings(Settings):
    """The learning rate over time."""

    name: Literal["constant", "inverse_square_root", "cosine", "plateau", "step"] = "cosine"
    """Shape after warm-up. plateau follows the validation metric; cosine ends at the last step or the time limit."""
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    """Steps of linear warm-up from zero."""
    factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    """Factor by which plateau and step multiply the rate."""
    patience: Annotated[int, Field(ge=0)] = 2
    """plateau: validations without improvement before the rate is lowered."""
    interval_steps: PositiveInt = 5_000
    """step: steps between reductions of the rate."""
    minimum_ratio: Annotated[float, Field(ge=0.0, le=1.0)] = 0.02
    """Lowest rate, as a fraction of the peak."""


class TrainingSettings(Settings):
    """Training: its length, batches, validation, checkpoints and devices."""

    init_from: TextPath | None = None
    """Model folder whose weights the run starts with (fine-tuning); its network must be the same, not its vocabularies."""
    freeze: list[str] = []
    """Names of parameters that stay as they are, with wildcards, such as "encoder.*"."""
    epochs: Annotated[int, Field(ge=1)] = 10
    """Most passes over the training text."""
    max_steps: Annotated[int, Field(ge=0)] = 0
    """Most optimizer steps; 0 is no limit."""
    time_limit: Duration = ""
    """Wall-clock limit of training, such as "25m", "2h" or "90s"; empty is no limit."""
    fit_time_limit: bool = False
    """Train a narrower network if only a few of the epochs fit into `time_limit` on this machine (one process)."""
    batch_pieces: Annotated[int, Field(ge=1)] = 4_000
    """Target pieces per optimizer step over all devices, padding included."""
    accumulate: PositiveInt = 1
    """Parts in which the batch of each step is computed: saves memory without changing results."""
    label_smoothing: Probability = 0.1
    """Probability mass spread over the vocabulary."""
    clip_norm: Annotated[float, Field(ge=0.0)] = 1.0
    """Largest gradient norm; 0 is off."""
    clip_value: Annotated[float, Field(ge=0.0)] = 0.0
    """Largest gradient component; 0 is off."""
    validate_every: Annotated[int, Field(ge=0)] = 0
    """Steps between validations; 0 is once per epoch."""
    valid_beam_size: PositiveInt = 1
    """Beam size of the translations in validation."""
    metric: Literal["bleu", "chrf", "loss"] = "bleu"
    """Validation metric for the best checkpoint, early stopping and plateau."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Validations without improvement before training stops; 0 never stops early."""
    checkpoint_every: Annotated[int, Field(ge=0)] = 0
    """Steps between last.ckpt saves; 0 saves at each validation."""
    keep_best: PositiveInt = 3
    """Number of best checkpoints to keep, by `metric`."""
    average: Literal["none", "best", "last"] = "best"
    """Checkpoints to average into the final model; the average is used only if it is no worse in validation."""
    average_count: PositiveInt = 3
    """Number of checkpoints to average."""
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Decay of the exponential moving average of weights (such as 0.999) for validation and the final model; 0 is off."""
    precision: Literal["auto", "float32", "bf16", "fp16"] = "auto"
    """auto: mixed bf16 if the machine supports it, otherwise float32."""
    devices: Annotated[int, Field(ge=0)] = 0
    """Processes or GPUs per node; 0 uses all GPUs, or one CPU process."""
    nodes: PositiveInt = 1
    """Number of machines."""
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"
    """How processes share the work, as Lightning names it: auto is ddp; the last allows parameters without gradients."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train."""
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    tensorboard: bool = True
    """Write TensorBoard logs, if tensorboard is installed; CSV logs are always written."""


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
    """Longer source lines are truncated to this length, with a warning."""
    no_repeat_ngram: Annotated[int, Field(ge=0, le=100)] = 0
    """No sequence of so many pieces occurs twice in a translation; 0 is off."""
    repetition_penalty: Annotated[float, Field(ge=1.0, le=10.0)] = 1.0
    """Pieces that were written become less likely (Keskar et al. 2019); 1 is off, 1.2 is customary."""
    temperature: Annotated[float, Field(ge=0.01, le=100.0)] = 1.0
    """Of sampling: below 1 likely pieces are drawn more often, above 1 less often."""
    top_k: Annotated[int, Field(ge=0)] = 0
    """Of sampling: draw among so many of the likeliest pieces; 0 is all."""
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
    data: DataSettings
    subwords: SubwordSettings = SubwordSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    insight: InsightSettings = InsightSettings()
    search: SearchSettings = SearchSettings()

    @model_validator(mode="after")
    def _validation_text_has_two_sides(self) -> RunSettings:
        data = {"data.valid_source": self.data.valid_source, "data.valid_target": self.data.valid_target}
        missing = [name for name, path in data.items() if path is None]
        if len(missing) == 1:
            raise ValueError(
                f"'{missing[0]}' is missing: set both sides of the validation text; or neither, to hold out pairs of the "
                f"training text"
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
