"""What a training run can do in its time on this machine, and a narrower network where its own would do too little."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nmt_lstm.config.duration import parse_duration
from nmt_lstm.config.schema import ModelSettings, RunSettings
from nmt_lstm.training.pace import Pace
from nmt_lstm.training.progress import duration

__all__ = ["Budget", "narrowed", "plan_budget", "with_widths"]

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

MeasurePace = Callable[[RunSettings], Pace]


@dataclass(frozen=True)
class Budget:
    """What was found out before a training run."""

    run: RunSettings
    """The run, with other widths if they were chosen here."""
    pace: Pace
    """Of its network."""
    sentences: list[str]
    """What to tell the user."""


def plan_budget(run: RunSettings, measure: MeasurePace, *, spent: Callable[[], float]) -> Budget:
    """Measure the machine and say how long the run will take; fit it into its time limit if it asks for that.

    With ``training.fit_time_limit``, the widest of several networks is chosen of which enough epochs fit into the
    time that is left. Measuring takes time itself, so widths that would be far too slow are passed over.

    Args:
        run: the run as asked for.
        measure: returns the pace of a run's network.
        spent: returns the seconds of the time limit that are over.
    """
    settings = run.training
    limit = parse_duration(settings.time_limit)
    pace = measure(run)
    epochs = _epochs(run, pace)
    whole = f"{_epochs_text(epochs)} take about {duration(pace.seconds(epochs))}"
    speed = (
        f"With {_widths(run.model)} this machine trains about {pace.pieces_per_second:,.0f} target pieces/s"
    )
    if limit is None or pace.seconds(epochs) <= TRAINING_SHARE * (limit - spent()):
        sentences = [f"{speed}: {whole}, validation not counted."]
        if limit is None and pace.seconds(epochs) > NOTEWORTHY_SECONDS:
            sentences += _advice(run, measure, epochs)
        return Budget(run, pace, sentences)

    def share(candidate: Pace) -> float:
        """Return how many times the epochs that are enough fit into the time that is left."""
        left = TRAINING_SHARE * max(0.0, limit - spent())
        return left / (ENOUGH * candidate.seconds(epochs))

    chosen, chosen_pace = run, pace
    if settings.fit_time_limit and share(pace) < 1.0:
        likely = [scale for scale in SCALES if scale**COST_OF_WIDTH <= share(pace)] or SCALES[-1:]
        for scale in likely:
            chosen = narrowed(run, scale)
            chosen_pace = measure(chosen)
            if share(chosen_pace) >= 1.0:
                break
    fitting = min(epochs, ENOUGH * epochs * share(chosen_pace))
    sentences = [f"{speed}: {whole}, and the time limit is {settings.time_limit}."]
    if chosen is not run:
        sentences.append(
            f"A narrower network was chosen (training.fit_time_limit): {_widths(chosen.model)}, learning rate "
            f"{chosen.training.optimizer.learning_rate:.3g}, about {chosen_pace.pieces_per_second:,.0f} target pieces/s."
        )
    sentences.append(f"About {fitting:.1f} of {_epochs_text(epochs)} fit into the time.")
    if share(chosen_pace) < 1.0:
        seconds = spent() + ENOUGH * chosen_pace.seconds(epochs) / TRAINING_SHARE
        sentences[-1] += f" Expect a poor model; about {duration(seconds)} would be enough for a fair one."
    if not settings.fit_time_limit:
        sentences += _advice(run, measure, epochs)
    return Budget(chosen, chosen_pace, sentences)


def with_widths(run: RunSettings, *, embedding: int, encoder: int, decoder: int) -> RunSettings:
    """Return a run whose network has other widths, and a learning rate in inverse proportion to that of the decoder.

    The best learning rate of Adam goes with the inverse of the width (Yang et al. 2021, "Tensor Programs V").
    """
    model, optimizer = run.model, run.training.optimizer
    rate = optimizer.learning_rate * model.decoder.hidden_size / decoder
    widths = {
        "embedding_size": embedding,
        "encoder": model.encoder.model_copy(update={"hidden_size": encoder}),
        "decoder": model.decoder.model_copy(update={"hidden_size": decoder}),
    }
    changed = {"optimizer": optimizer.model_copy(update={"learning_rate": rate})}
    return run.model_copy(
        update={
            "model": model.model_copy(update=widths),
            "training": run.training.model_copy(update=changed),
        }
    )


def narrowed(run: RunSettings, scale: float) -> RunSettings:
    """Return the run with layers at `scale` of their width, in multiples of 32; embeddings at half of it or more.

    Embeddings keep more of their width because the output layer reads every piece through them.
    """
    model = run.model
    return with_widths(
        run,
        embedding=_width(model.embedding_size, max(scale, 0.5)),
        encoder=_width(model.encoder.hidden_size, scale),
        decoder=_width(model.decoder.hidden_size, scale),
    )


def _width(width: int, scale: float) -> int:
    return min(width, max(WIDTH_UNIT, round(scale * width / WIDTH_UNIT) * WIDTH_UNIT))


def _epochs(run: RunSettings, pace: Pace) -> float:
    """Return the epochs of the run, or the part of them that its number of steps allows."""
    settings = run.training
    if not settings.max_steps:
        return float(settings.epochs)
    return min(float(settings.epochs), settings.max_steps / pace.steps_per_epoch)


def _epochs_text(epochs: float) -> str:
    return "1 epoch" if epochs == 1.0 else f"{epochs:.3g} epochs"


def _widths(model: ModelSettings) -> str:
    encoder, decoder = model.encoder.hidden_size, model.decoder.hidden_size
    layers = f"layers of {encoder}" if encoder == decoder else f"layers of {encoder} and {decoder}"
    return f"{layers}, embeddings of {model.embedding_size}"


def _advice(run: RunSettings, measure: MeasurePace, epochs: float) -> list[str]:
    """Say what a network of about half the width would take."""
    half = narrowed(run, 0.5)
    if half.model == run.model:
        return []
    seconds = measure(half).seconds(epochs)
    options = (
        f"--set model.encoder.hidden_size={half.model.encoder.hidden_size} "
        f"--set model.decoder.hidden_size={half.model.decoder.hidden_size} "
        f"--set model.embedding_size={half.model.embedding_size} "
        f"--set training.optimizer.learning_rate={half.training.optimizer.learning_rate:g}"
    )
    return [f"With {_widths(half.model)} they would take about {duration(seconds)}:", f"  {options}"]
