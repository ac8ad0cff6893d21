"""The plan of a comparison: its variants, matched as was asked, and one run for each of their seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt_lstm.config.load import make_run
from nmt_lstm.config.schema import RunSettings
from nmt_lstm.lab.comparison.factors import Factor, Variant, variants_of
from nmt_lstm.lab.comparison.matching import Match, planned_steps, within_time, within_updates
from nmt_lstm.lab.comparison.sizing import count_parameters, size_to
from nmt_lstm.model.build import check_parts
from nmt_lstm.text.preparation import Prepared, prepare
from nmt_lstm.training.data_module import TranslationDataModule

__all__ = ["Plan", "PlannedRun", "PlannedVariant", "make_plan"]

_ONE_PROCESS = {"devices": 1, "nodes": 1, "strategy": "auto"}


@dataclass(frozen=True)
class PlannedVariant:
    """A variant as it is trained."""

    variant: Variant
    run: RunSettings
    """Its settings, but for the seed."""
    parameters: int
    fingerprint: str
    """Of its prepared text."""
    steps: int
    """Optimizer steps of the whole training; 0 where time ends it."""

    @property
    def hidden(self) -> str:
        """Sizes of encoder and decoder, as text."""
        model = self.run.model
        sizes = (model.encoder.hidden_size, model.decoder.hidden_size)
        return f"{sizes[0]:,}" if sizes[0] == sizes[1] else f"{sizes[0]:,} and {sizes[1]:,}"


@dataclass(frozen=True)
class PlannedRun:
    """One training."""

    name: str
    """Of its folder, such as "gru-1"."""
    variant: str
    seed: int
    settings: RunSettings
    fingerprint: str
    """Of its prepared text."""


@dataclass(frozen=True)
class Plan:
    """Everything that is to be trained."""

    factors: tuple[Factor, ...]
    match: Match
    seeds: tuple[int, ...]
    base_parameters: int
    """Parameters of the run file's own model, which the others are matched to."""
    variants: tuple[PlannedVariant, ...]

    def runs(self) -> list[PlannedRun]:
        """Return the runs in the order in which they start: all variants of a seed, then those of the next."""
        return [
            PlannedRun(
                f"{planned.variant.slug}-{seed}",
                planned.variant.name,
                seed,
                planned.run.model_copy(update={"seed": seed}),
                planned.fingerprint,
            )
            for seed in self.seeds
            for planned in self.variants
        ]

    def describe(self) -> list[str]:
        """Return in sentences what is trained and how it was matched."""
        lines = []
        for planned in self.variants:
            sized = f"hidden layers of {planned.hidden}, {planned.parameters:,} parameters"
            if self.match.parameters:
                off = 100.0 * (planned.parameters / self.base_parameters - 1.0)
                more = (
                    f"{abs(off):.1f} % {'fewer' if off < 0 else 'more'} than"
                    if abs(off) >= 0.05
                    else "as many as"
                )
                sized += f", {more} the settings as given"
            lines.append(f"{planned.variant.name}: {sized}")
        if self.match.budget == "time":
            limit = self.variants[0].run.training.time_limit
            lines.append(f"Each training gets {limit}, whatever number of updates that allows.")
        else:
            steps = self.variants[0].steps
            lines.append(f"Each training gets {steps:,} updates, however long they take.")
        return lines


def make_plan(
    values: Mapping[str, Any],
    factors: Sequence[Factor],
    *,
    overrides: Sequence[str] = (),
    seeds: Sequence[int],
    match: Match,
    folder: Path | None = None,
    origin: str = "settings",
    on_progress: Callable[[str], None] | None = None,
) -> Plan:
    """Make the variants of a run and match them; their text is prepared for it.

    Args:
        values: the run file.
        factors: what is varied.
        overrides: what is the same in all of them, as of ``--set``.
        seeds: one run of each variant for each.
        match: what is held equal.
        folder: where relative paths of `values` start.
        origin: of `values`, for messages.
        on_progress: told in words what is done.

    Raises:
        ConfigurationError: settings are wrong, nothing is varied, or sizes cannot be matched.
        PluginError: a cell or attention is unknown or does not take its options.
        DataError: the text cannot be used.
    """
    match.check_factors(factors)
    variants = variants_of(factors)

    def settings(more: Sequence[str]) -> RunSettings:
        run = make_run(values, [*overrides, *more], folder=folder, origin=origin)
        training = run.training.model_copy(update=_ONE_PROCESS)
        run = run.model_copy(update={"training": training})
        return within_time(run) if match.budget == "time" else run

    runs = [settings(variant.overrides) for variant in variants]
    for run in runs:
        check_parts(run.model)
    base = settings(())
    # Runs of the same text and settings find it prepared; so all of them see the same pieces.
    prepared = [prepare(run, on_progress) for run in (base, *runs)]
    for text in {text.fingerprint: text for text in prepared}.values():
        if on_progress is not None and not text.report.is_whole:
            on_progress(text.report.describe())
    base_text, texts = prepared[0], prepared[1:]
    base_steps = planned_steps(base, steps_per_epoch(base, base_text))
    # The settings as given may name a part that is not compared, and not even installed.
    base_parameters = parameters_of(base, base_text) if match.parameters else 0
    planned = []
    for variant, run, text in zip(variants, runs, texts, strict=True):
        sized = run
        if match.parameters:
            sizing = size_to(
                base_parameters,
                run.model,
                source_size=text.subwords.source.size,
                target_size=text.subwords.target.size,
                name=variant.name,
            )
            sized = run.model_copy(update={"model": sizing.model})
        steps = 0
        if match.budget == "updates":
            sized = within_updates(sized, steps_per_epoch=steps_per_epoch(run, text), steps=base_steps)
            steps = base_steps
        planned.append(PlannedVariant(variant, sized, parameters_of(sized, text), text.fingerprint, steps))
    return Plan(tuple(factors), match, tuple(seeds), base_parameters, tuple(planned))


def parameters_of(run: RunSettings, text: Prepared) -> int:
    """Return the number of parameters of a run's model."""
    return count_parameters(run.model, text.subwords.source.size, text.subwords.target.size)


def steps_per_epoch(run: RunSettings, text: Prepared) -> int:
    """Return the optimizer steps of a run's first epoch."""
    return TranslationDataModule.of_run(run, text).steps_per_epoch()
