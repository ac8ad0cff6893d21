"""The training tables of the run file's schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from nmt_lstm.config.named_parts import CallbackList, LoggerList
from nmt_lstm.config.optimizers import OPTIMIZERS, check_optimizer_name
from nmt_lstm.config.schema_base import (
    Duration,
    NumberOrAuto,
    Options,
    PositiveInt,
    Probability,
    Settings,
    TextPath,
)

__all__ = ["OptimizerSettings", "ScheduleSettings", "TrainingSettings"]

OPTIMIZER_MEANING = (
    "; ".join(f"{name}: {optimizer.summary}" for name, optimizer in OPTIMIZERS.items())
    + "; or package.module:Class of any optimizer that is built and used like those of PyTorch."
)


class OptimizerSettings(Settings):
    """The optimizer."""

    name: Annotated[str, AfterValidator(check_optimizer_name), Field(description=OPTIMIZER_MEANING)] = "adam"
    learning_rate: Annotated[float, Field(gt=0.0)] = 0.001
    """Peak learning rate."""
    betas: tuple[Probability, Probability] = Field((0.9, 0.999), strict=False)
    """Decay rates of adam and adamw (and in muon, of its AdamW)."""
    epsilon: Annotated[float, Field(gt=0.0)] = 1e-8
    """Denominator term of adam and adamw (and in muon, of its AdamW)."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight decay of matrices (L2 for adam, decoupled for adamw and muon, as the class defines it for others)."""
    options: Options = {}
    """Other options of the optimizer's constructor, such as {momentum = 0.9, nesterov = true} of sgd."""

    def unused_settings(self) -> list[str]:
        """Return the settings that were changed although the optimizer does not use them."""
        used = OPTIMIZERS[self.name].arguments if self.name in OPTIMIZERS else {}
        defaults = {name: OptimizerSettings.model_fields[name].default for name in ("betas", "epsilon")}
        return [
            name for name, default in defaults.items() if name not in used and getattr(self, name) != default
        ]


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
    source_vectors: TextPath | None = None
    """Word vectors in text format (word2vec, GloVe, fastText) that source embeddings start with; plain or compressed."""
    target_vectors: TextPath | None = None
    """Word vectors that target embeddings start with."""
    freeze: list[str] = []
    """Names of parameters that stay as they are, with wildcards, such as "encoder.*"."""
    epochs: Annotated[int, Field(ge=1)] = 10
    """Maximum number of passes over the training text."""
    max_steps: Annotated[int, Field(ge=0)] = 0
    """Maximum number of optimizer steps; 0 is no limit."""
    time_limit: Duration = ""
    """Wall-clock limit of training, such as "25m", "2h" or "90s"; empty is no limit."""
    fit_time_limit: bool = False
    """Train a narrower network if only a few of the epochs fit into `time_limit` on this machine (one process)."""
    batch_pieces: NumberOrAuto = 4_000
    """Target pieces per optimizer step over all devices, padding included; 16000 by default with characters or bytes. "auto"
    chooses as many as suit the size of the text, or fewer if memory does not hold them; a resumed run keeps the number."""
    accumulate: PositiveInt = 1
    """Parts in which the batch of each step is computed: saves memory without changing results."""
    label_smoothing: Probability = 0.1
    """Probability mass spread over the vocabulary; by default 0 for a language model."""
    clip_norm: Annotated[float, Field(ge=0.0)] = 1.0
    """Largest gradient norm; 0 is off."""
    clip_value: Annotated[float, Field(ge=0.0)] = 0.0
    """Largest gradient component; 0 is off."""
    validate_every: Annotated[int, Field(ge=0)] = 0
    """Steps between validations; 0 is once per epoch."""
    valid_beam_size: PositiveInt = 1
    """Beam size of the translations in validation."""
    metric: Literal["bleu", "chrf", "loss", "accuracy", "f1"] = "bleu"
    """Validation metric for the best checkpoint, early stopping and plateau; "loss" for a language model; a classifier has
    "accuracy" and (macro) "f1"."""
    validation_set: str = ""
    """Validation set whose metric counts if there are several: its name, "average" for the mean of all, or the first."""
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
    on_divergence: Literal["stop", "skip", "return"] = "stop"
    """If a step's loss or gradient is not finite: stop, skip the step, or return to the last checkpoint with half the learning
    rate; with skip and return also if a loss is above 20 nats per piece."""
    divergence_limit: PositiveInt = 5
    """skip: maximum number of steps skipped in a row; return: maximum number of returns of a run. With one more, training stops."""
    precision: Literal["auto", "float32", "bf16", "fp16"] = "auto"
    """auto: mixed bf16 if the machine supports it, otherwise float32."""
    devices: Annotated[int, Field(ge=0)] = 0
    """Processes or GPUs per node; 0 uses all GPUs, or one CPU process."""
    nodes: PositiveInt = 1
    """Number of machines."""
    process_timeout: Duration = "30s"
    """How long a process of several may be stopped or unreachable (not: busy) until the others end; empty waits forever."""
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"] = "auto"
    """How processes share the work, as Lightning names it: auto is ddp; the last allows parameters without gradients."""
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to train."""
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    tensorboard: bool = True
    """Write TensorBoard logs if tensorboard is installed, even if `loggers` does not name it."""
    loggers: LoggerList = ["csv"]
    """Where metrics are logged: "csv" (always), "tensorboard", "wandb", "mlflow", "trackio" or package.module:Class of a
    Lightning logger; an item may be a table {name = "mlflow", options = {experiment_name = "de-en"}}."""
    callbacks: CallbackList = []
    """Lightning callbacks as package.module:Class, or tables {name = "...", options = {...}}."""

    @model_validator(mode="after")
    def _embeddings_have_one_start(self) -> TrainingSettings:
        for name in ("source_vectors", "target_vectors"):
            if self.init_from is not None and getattr(self, name) is not None:
                raise ValueError(
                    f"training.{name} has no effect with training.init_from, since the model there has embeddings; leave one out"
                )
        return self
