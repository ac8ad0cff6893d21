"""What a training run can do in its time on this machine, and a narrower network where its own would do too little."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import ModelSettings, TrainingSettings
from nmt_lstm.training.pace import Pace
from nmt_lstm.training.progress import duration

__all__ = ["Network", "WidthChoice", "choose_widths", "narrowed", "with_widths"]

# Widths to choose from, as shares of those asked for.
SCALES = (0.75, 0.5, 0.375, 0.25)
WIDTH_UNIT = 32
# A narrower network is worth its loss of capacity where fewer of the epochs would fit: on the built-in corpus 950 steps of 400
# pieces at a width of 64 reach BLEU 58; 600 steps of 200 pieces at a width of 128, which take about as long, reach 36.
ENOUGH = 0.4
# A step's time goes about with this power of the width, less where small operations prevail.
COST_OF_WIDTH = 1.5
# Of the time that is left when training starts; validations and the final choice of weights take the rest.
TRAINING_SHARE = 0.85
# Below this, nobody has to be told how long it takes or how to make it shorter.
NOTEWORTHY_SECONDS = 300.0


class Network(NamedTuple):
    """A network and how it is trained: the settings that change with its widths."""

    model: ModelSettings
    training: TrainingSettings


MeasurePace = Callable[[Network], Pace]


class WidthChoice(NamedTuple):
    """The network to train, and how fast this machine trains it."""

    network: Network
    """As asked for, or with other widths."""
    pace: Pace
    """Of its network."""
    sentences: list[str]
    """What to tell the user."""


def choose_widths(asked: Network, measure: MeasurePace, *, spent: Callable[[], float]) -> WidthChoice:
    """Measure the machine and say how long the run will take; fit it into its time limit if it asks for that.

    With ``training.fit_time_limit``, the widest of several networks is chosen of which enough epochs fit into the
    time that is left. Measuring takes time itself, so widths that would be far too slow are passed over.

    Args:
        asked: the network of the run.
        measure: returns the pace of a network.
        spent: returns the seconds of the time limit that are over.
    """
    settings = asked.training
    limit = parse_duration(settings.time_limit)
    pace = measure(asked)
    epochs = _epochs(settings, pace)
    whole = f"{_epochs_text(epochs)} take about {duration(pace.seconds(epochs))}"
    speed = (
        f"With {_widths(asked.model)} this machine trains about {pace.pieces_per_second:,.0f} target pieces/s"
    )
    if limit is None or pace.seconds(epochs) <= TRAINING_SHARE * (limit - spent()):
        sentences = [f"{speed}: {whole}, validation not counted."]
        if limit is None and pace.seconds(epochs) > NOTEWORTHY_SECONDS:
            sentences += _advice(asked, measure, epochs)
        return WidthChoice(asked, pace, sentences)

    def share(candidate: Pace) -> float:
        """Return how many times the epochs that are enough fit into the time that is left."""
        left = TRAINING_SHARE * max(0.0, limit - spent())
        return left / (ENOUGH * candidate.seconds(epochs))

    chosen, chosen_pace = asked, pace
    if settings.fit_time_limit and share(pace) < 1.0:
        likely = [scale for scale in SCALES if scale**COST_OF_WIDTH <= share(pace)] or SCALES[-1:]
        for scale in likely:
            chosen = narrowed(asked, scale)
            chosen_pace = measure(chosen)
            if share(chosen_pace) >= 1.0:
                break
    fitting = min(epochs, ENOUGH * epochs * share(chosen_pace))
    sentences = [f"{speed}: {whole}, and the time limit is {settings.time_limit}."]
    if chosen is not asked:
        sentences.append(
            f"A narrower network was chosen (training.fit_time_limit): {_widths(chosen.model)}, learning rate "
            f"{chosen.training.optimizer.learning_rate:.3g}, about {chosen_pace.pieces_per_second:,.0f} target pieces/s."
        )
    sentences.append(f"About {fitting:.1f} of {_epochs_text(epochs)} fit into the time.")
    if share(chosen_pace) < 1.0:
        seconds = spent() + ENOUGH * chosen_pace.seconds(epochs) / TRAINING_SHARE
        sentences[-1] += f" Expect a poor model; about {duration(seconds)} would be enough for a fair one."
    if not settings.fit_time_limit:
        sentences += _advice(asked, measure, epochs)
    return WidthChoice(chosen, chosen_pace, sentences)


def with_widths(network: Network, *, embedding: int, encoder: int, decoder: int) -> Network:
    """Return a network of other widths, with a learning rate in inverse proportion to that of the decoder.

    The best learning rate of Adam goes with the inverse of the width (Yang et al. 2021, "Tensor Programs V").
    """
    model, optimizer = network.model, network.training.optimizer
    rate = optimizer.learning_rate * model.decoder.hidden_size / decoder
    widths = {
        "embedding_size": embedding,
        "encoder": model.encoder.model_copy(update={"hidden_size": encoder}),
        "decoder": model.decoder.model_copy(update={"hidden_size": decoder}),
    }
    changed = {"optimizer": optimizer.model_copy(update={"learning_rate": rate})}
    return Network(model.model_copy(update=widths), network.training.model_copy(update=changed))


def narrowed(network: Network, scale: float) -> Network:
    """Return the network with layers at `scale` of their width, in multiples of 32; embeddings at half of it or more.

    Embeddings keep more of their width because the output layer reads every piece through them.
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


def _epochs(settings: TrainingSettings, pace: Pace) -> float:
    """Return the epochs of the run, or the part of them that its number of steps allows."""
    if not settings.max_steps:
        return float(settings.epochs)
    return min(float(settings.epochs), settings.max_steps / pace.steps_per_epoch)


def _epochs_text(epochs: float) -> str:
    return "1 epoch" if epochs == 1.0 else f"{epochs:.3g} epochs"


def _widths(model: ModelSettings) -> str:
    encoder, decoder = model.encoder.hidden_size, model.decoder.hidden_size
    layers = f"layers of {encoder}" if encoder == decoder else f"layers of {encoder} and {decoder}"
    return f"{layers}, embeddings of {model.embedding_size}"


def _advice(network: Network, measure: MeasurePace, epochs: float) -> list[str]:
    """Say what a network of about half the width would take."""
    half = narrowed(network, 0.5)
    if half.model == network.model:
        return []
    seconds = measure(half).seconds(epochs)
    options = (
        f"--set model.encoder.hidden_size={half.model.encoder.hidden_size} "
        f"--set model.decoder.hidden_size={half.model.decoder.hidden_size} "
        f"--set model.embedding_size={half.model.embedding_size} "
        f"--set training.optimizer.learning_rate={half.training.optimizer.learning_rate:g}"
    )
    return [f"With {_widths(half.model)} they would take about {duration(seconds)}:", f"  {options}"]
