"""How far a run gets within its time limit on this machine, and a narrower network if that is not far enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import ModelSettings, TrainingSettings
from nmt_lstm.config.tasks import TASKS, TaskName
from nmt_lstm.training.progress import duration
from nmt_lstm.training.throughput import Throughput

__all__ = ["Network", "WidthChoice", "choose_widths", "narrowed", "widths_of", "with_widths"]

# Candidate widths, as fractions of those in the settings.
SCALES = (0.75, 0.5, 0.375, 0.25)
WIDTH_UNIT = 32
# Below this fraction of the epochs, a narrower network is worth its loss of capacity: on the built-in corpus 950 steps
# of 400 pieces at a width of 64 reach BLEU 58; 600 steps of 200 pieces at a width of 128, which take about as long, 36.
SUFFICIENT_FRACTION = 0.4
# The time of a step grows with about this power of the width, more slowly where small operations dominate.
WIDTH_EXPONENT = 1.5
# Fraction of the remaining time that training gets; validations and the selection of weights take the rest.
TRAINING_FRACTION = 0.85
# A run shorter than this needs no advice on how to shorten it.
NOTEWORTHY_SECONDS = 300.0


class Network(NamedTuple):
    """The settings that change with the widths of a network, and its task."""

    model: ModelSettings
    training: TrainingSettings
    task: TaskName = "translation"

    @property
    def has_encoder(self) -> bool:
        """Whether the network of the task uses the encoder's settings."""
        return "model.encoder" not in TASKS[self.task].unused

    @property
    def has_decoder(self) -> bool:
        """Whether the network of the task uses the decoder's settings."""
        return "model.decoder" not in TASKS[self.task].unused


MeasureThroughput = Callable[[Network], Throughput]


class WidthChoice(NamedTuple):
    """The network to train, and what to report about it."""

    network: Network
    """That of the settings, or a narrower one."""
    sentences: list[str]
    """The forecast and the choice, for the user."""


def choose_widths(
    requested: Network, measure: MeasureThroughput, *, elapsed: Callable[[], float]
) -> WidthChoice:
    """Measure how long the run will take, and choose a network that fits its time limit if the settings allow that.

    With ``training.fit_time_limit``, this is the widest of several networks for which enough epochs fit into the
    remaining time. Measuring takes time itself, so widths that would be far too slow are skipped.

    Args:
        requested: the network of the settings.
        measure: returns the throughput of a network.
        elapsed: returns the seconds of the time limit that are over.
    """
    settings = requested.training
    limit = parse_duration(settings.time_limit)
    throughput = measure(requested)
    epochs = _epochs(settings, throughput)
    complete = f"{_epochs_text(epochs)} take about {duration(throughput.seconds(epochs))}"
    speed = f"With {_widths(requested)} this machine trains about {throughput.pieces_per_second:,.0f} target pieces/s"
    if limit is None or throughput.seconds(epochs) <= TRAINING_FRACTION * (limit - elapsed()):
        sentences = [f"{speed}: {complete}, without validation."]
        if limit is None and throughput.seconds(epochs) > NOTEWORTHY_SECONDS:
            sentences += _advice(requested, measure, epochs)
        return WidthChoice(requested, sentences)

    def sufficiency(candidate: Throughput) -> float:
        """Return how many times a sufficient number of epochs fits into the remaining time; below 1 is too few."""
        remaining = TRAINING_FRACTION * max(0.0, limit - elapsed())
        return remaining / (SUFFICIENT_FRACTION * candidate.seconds(epochs))

    chosen, chosen_throughput = requested, throughput
    if settings.fit_time_limit and sufficiency(throughput) < 1.0:
        likely = [scale for scale in SCALES if scale**WIDTH_EXPONENT <= sufficiency(throughput)] or SCALES[
            -1:
        ]
        for scale in likely:
            chosen = narrowed(requested, scale)
            chosen_throughput = measure(chosen)
            if sufficiency(chosen_throughput) >= 1.0:
                break
    fitting = min(epochs, SUFFICIENT_FRACTION * epochs * sufficiency(chosen_throughput))
    sentences = [f"{speed}: {complete}, and the time limit is {settings.time_limit}."]
    if chosen is not requested:
        sentences.append(
            f"A narrower network was chosen (training.fit_time_limit): {_widths(chosen)}, learning rate "
            f"{chosen.training.optimizer.learning_rate:.3g}, about {chosen_throughput.pieces_per_second:,.0f} target pieces/s."
        )
    sentences.append(f"About {fitting:.1f} of {_epochs_text(epochs)} fit into the time limit.")
    if sufficiency(chosen_throughput) < 1.0:
        seconds = elapsed() + SUFFICIENT_FRACTION * chosen_throughput.seconds(epochs) / TRAINING_FRACTION
        sentences[-1] += f" Expect a poor model; about {duration(seconds)} would suffice for a fair one."
    if not settings.fit_time_limit:
        sentences += _advice(requested, measure, epochs)
    return WidthChoice(chosen, sentences)


def widths_of(model: ModelSettings) -> dict[str, int]:
    """Return the widths of a network by the names of their settings."""
    return {
        "model.embedding_size": model.embedding_size,
        "model.encoder.hidden_size": model.encoder.hidden_size,
        "model.decoder.hidden_size": model.decoder.hidden_size,
    }


def with_widths(network: Network, *, embedding: int, encoder: int, decoder: int) -> Network:
    """Return a network with other widths, its learning rate in inverse proportion to the width of the decoder.

    The best learning rate of Adam is inversely proportional to the width (Yang et al. 2021, "Tensor Programs V").
    """
    model, optimizer = network.model, network.training.optimizer
    rate = optimizer.learning_rate * model.decoder.hidden_size / decoder
    read = model.encoder.model_copy(update={"hidden_size": encoder}) if network.has_encoder else model.encoder
    widths = {
        "embedding_size": embedding,
        "encoder": read,
        "decoder": model.decoder.model_copy(update={"hidden_size": decoder}),
    }
    changed = {"optimizer": optimizer.model_copy(update={"learning_rate": rate})}
    return network._replace(
        model=model.model_copy(update=widths), training=network.training.model_copy(update=changed)
    )


def narrowed(network: Network, scale: float) -> Network:
    """Return the network with layers at `scale` of their width, in multiples of 32, and embeddings at least at half.

    Embeddings keep more of their width because the output layer reads every piece through them. Of an encoder other than
    the recurrent one, only those widths change that follow the embeddings'.
    """
    model = network.model
    return with_widths(
        network,
        embedding=_width(model.embedding_size, max(scale, 0.5)),
        encoder=_width(model.encoder.hidden_size, scale),
        decoder=_width(model.decoder.hidden_size, scale),
    )


def _width(width: int, scale: float) -> int:
    return min(width, max(WIDTH_UNIT, round(scale * width / WIDTH_UNIT) * WIDTH_UNIT))


def _epochs(settings: TrainingSettings, throughput: Throughput) -> float:
    """Return the epochs of the run, or the fraction of them that `max_steps` allows."""
    if not settings.max_steps:
        return float(settings.epochs)
    return min(float(settings.epochs), settings.max_steps / throughput.steps_per_epoch)


def _epochs_text(epochs: float) -> str:
    return "1 epoch" if epochs == 1.0 else f"{epochs:.3g} epochs"


def _widths(network: Network) -> str:
    model = network.model
    widths = [
        *([model.encoder.hidden_size] if _has_encoder_width(network) else []),
        model.decoder.hidden_size,
    ]
    layers = f"layers of {' and '.join(map(str, dict.fromkeys(widths)))}"
    if network.has_encoder and not model.encoder.is_recurrent:
        layers = f"decoder {layers}"
    return f"{layers}, embeddings of {model.embedding_size}"


def _has_encoder_width(network: Network) -> bool:
    """Whether there is an encoder whose width is `model.encoder.hidden_size`."""
    return network.has_encoder and network.model.encoder.is_recurrent


def _advice(network: Network, measure: MeasureThroughput, epochs: float) -> list[str]:
    """Return how long a network of about half the width would take, and the options that select it."""
    half = narrowed(network, 0.5)
    if half.model == network.model:
        return []
    seconds = measure(half).seconds(epochs)
    options = (
        f"--set model.encoder.hidden_size={half.model.encoder.hidden_size} "
        if _has_encoder_width(half)
        else ""
    ) + (
        f"--set model.decoder.hidden_size={half.model.decoder.hidden_size} "
        f"--set model.embedding_size={half.model.embedding_size} "
        f"--set training.optimizer.learning_rate={half.training.optimizer.learning_rate:g}"
    )
    return [f"With {_widths(half)} they would take about {duration(seconds)}:", f"  {options}"]
