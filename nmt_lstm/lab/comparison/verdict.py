"""What to make of the findings: a plain recommendation, its reasons, and what speaks against trusting it too far."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt_lstm.evaluation.columns import p_value
from nmt_lstm.lab.comparison.findings import Findings, Pair, VariantFinding
from nmt_lstm.lab.comparison.plan import Plan
from nmt_lstm.training.progress import duration

__all__ = ["Setting", "Verdict", "give_verdict", "joined_names"]

# Costs closer than this are called equal: timings of a busy machine are not better than that.
_SAME_COST = 0.1
_LEARNT = 1.0  # BLEU
# A lead of more is no tie, though few seeds may not show it: who wants quality should not be sent to the cheaper one.
_LARGEST_TIE = 1.0  # BLEU
_STILL_RISING = 0.5  # BLEU between the last two validations


@dataclass(frozen=True)
class Setting:
    """What the verdict has to know beside the findings."""

    made_up_text: bool
    """Whether the text comes from a grammar, as that of the built-in corpus."""
    tested_on_validation: bool
    """Whether the test text is the one by which the weights were chosen."""
    jobs: int
    """Runs at a time."""
    failures: dict[str, str]
    """Why runs failed, by name."""


@dataclass(frozen=True)
class Verdict:
    """The recommendation."""

    headline: str
    reasons: list[str]
    cautions: list[str]


@dataclass(frozen=True)
class _Cost:
    """Something that is better small, and differs from run to run."""

    values: Callable[[VariantFinding], list[float]]
    """Of each seed."""
    words: Callable[[VariantFinding], str]

    def mean(self, variant: VariantFinding) -> float:
        """Return the mean over seeds."""
        return statistics.fmean(self.values(variant))

    def clearly_less(self, one: VariantFinding, other: VariantFinding) -> bool:
        """Whether every run of `one` costs less than every run of `other`, by more than timing noise."""
        return max(self.values(one)) * (1 + _SAME_COST) < min(self.values(other))


_TRAINING = _Cost(
    lambda each: [result.training.seconds for result in each.results],
    lambda each: f"trains in {duration(each.mean('seconds'))}",
)
_TRANSLATING = _Cost(
    lambda each: [result.translate_seconds for result in each.results],
    lambda each: f"translates {each.sentences_per_second:,.0f} sentences per second",
)
_PARAMETERS = _Cost(
    lambda each: [float(each.planned.parameters)], lambda each: f"has {each.planned.parameters:,} parameters"
)
_MEMORY = _Cost(
    lambda each: [float(result.training.peak_bytes) for result in each.results],
    lambda each: f"needs {each.mean('peak_bytes') / 2**20:,.0f} MiB to train",
)


def give_verdict(findings: Findings, plan: Plan, setting: Setting) -> Verdict:
    """Return the recommendation; it names a winner only where the difference is shown to be more than noise."""
    equal = findings.as_good_as_best()
    best = equal[0]
    cautions = _cautions(findings, plan, setting)
    unmatched = (
        " But the updates were not equal." if plan.match.budget == "updates" and _cut_short(findings) else ""
    )
    if len(findings.variants) == 1:
        return Verdict(
            f"Only {best.name} came to its end: there is nothing to compare it with.", [], cautions
        )
    if best.bleu < _LEARNT:
        return Verdict(
            f"No answer: no variant has learnt to translate (the best BLEU is {best.bleu:.2f}). Train longer.",
            [],
            cautions,
        )
    reasons = [_difference(findings.pair(best.name, each.name)) for each in findings.variants[1:]]
    seeds_counted = all(pair.seeds_counted for pair in findings.pairs)
    if len(equal) == 1:
        if seeds_counted:
            headline = f"Take {best.name}: it translates better than {_others(findings, best)}."
        else:
            headline = (
                f"{best.name} is ahead in these runs, but with one seed it is not known whether that is the variant or "
                f"the seed."
            )
        return Verdict(headline + unmatched, [*reasons, *_costs_of(findings, plan)], cautions)
    far = max(equal, key=lambda each: best.bleu - each.bleu)
    if best.bleu - far.bleu > _LARGEST_TIE:
        return Verdict(
            f"Not decided: {best.name} leads {far.name} by {best.bleu - far.bleu:.1f} BLEU, but that is within noise. Give more "
            f"seeds or more test sentences before you choose." + unmatched,
            [*reasons, *_costs_of(findings, plan)],
            cautions,
        )
    headline = (
        f"No winner: between {joined_names([each.name for each in equal])} the difference is within noise."
    )
    chosen, why = _cheapest(equal, plan)
    names = joined_names([each.name for each in chosen], "or")
    if len(chosen) == 1:
        headline += f" Take {names}: it {why}."
    elif why:
        headline += f" Take {names}: either {why}."
    else:
        headline += f" Take {names}: no cost tells them apart either."
    return Verdict(headline + unmatched, [*reasons, *_costs_of(findings, plan)], cautions)


def joined_names(names: Sequence[str], word: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"


def _others(findings: Findings, best: VariantFinding) -> str:
    return joined_names([each.name for each in findings.variants if each is not best])


def _difference(pair: Pair) -> str:
    seeds = "sentences and seeds" if pair.seeds_counted else "sentences alone"
    interval = f"95 % interval {pair.low:+.2f} to {pair.high:+.2f}, p = {p_value(pair.p_adjusted)}".replace(
        "-", "−"
    )
    verdict = "more than noise" if pair.shown else "within noise"
    return (
        f"{pair.better} over {pair.worse}: {pair.difference:+.2f} BLEU ({interval}, by {seeds}): {verdict}."
    )


def _cheapest(equal: Sequence[VariantFinding], plan: Plan) -> tuple[list[VariantFinding], str]:
    """Return those of equal quality that cost least, by the first cost in which they differ, and that cost in words."""
    costs = [_TRANSLATING, _PARAMETERS, _MEMORY]
    if plan.match.budget == "updates":
        costs.insert(0, _TRAINING)
    left = list(equal)
    why: list[str] = []
    for cost in costs:
        least = min(left, key=cost.mean)
        cheap = [each for each in left if not cost.clearly_less(least, each)]
        if len(cheap) < len(left):
            dear = [each for each in left if each not in cheap]
            words = joined_names([f"{each.name} {cost.words(each)}" for each in dear])
            why.append(f"{cost.words(cheap[0])} ({words})")
            left = cheap
        if len(left) == 1:
            break
    return left, "; it ".join(why)


def _costs_of(findings: Findings, plan: Plan) -> list[str]:
    """Say which variant is the cheapest in what, where one is by more than timing noise."""
    sentences = []
    costs = [("training", _TRAINING), ("translating", _TRANSLATING)]
    for what, cost in costs:
        if what == "training" and plan.match.budget == "time":
            continue
        ordered = sorted(findings.variants, key=cost.mean)
        first, last = ordered[0], ordered[-1]
        if cost.clearly_less(first, last):
            ratio = cost.mean(last) / cost.mean(first)
            sentences.append(
                f"In {what}, {first.name} {cost.words(first)}; {last.name} takes {ratio:.1f} times as long."
            )
        else:
            sentences.append(f"In {what}, no variant is clearly the fastest.")
    return sentences


def _cautions(findings: Findings, plan: Plan, setting: Setting) -> list[str]:
    variants = findings.variants
    found = _unequal(findings, plan)
    if setting.failures:
        count = len(setting.failures)
        found.append(
            f"{count} run{'s' * (count > 1)} failed and {'are' if count > 1 else 'is'} not counted; the same command tries again."
        )
    if any(len(each.seeds) == 1 for each in variants):
        found.append(
            "With one seed, what another seed would have changed is unknown, and often as large as the difference between "
            "variants: give --seeds 1,2,3."
        )
    unshown = [pair for pair in findings.pairs if not pair.shown]
    if unshown:
        least = statistics.median((pair.high - pair.low) / 2 for pair in unshown)
        found.append(
            f"Differences below about {least:.1f} BLEU cannot be told from noise here; more seeds and more test sentences "
            f"would show smaller ones."
        )
    rising = []
    for each in variants:
        curve = each.mean_curve()
        if len(curve) > 1 and curve[-1].bleu - curve[-2].bleu > _STILL_RISING:
            rising.append(f"{each.name} by {curve[-1].bleu - curve[-2].bleu:.1f}")
    if rising:
        found.append(
            f"Still improving at the last validation (BLEU since the one before): {joined_names(rising)}. A longer "
            f"training could change the order."
        )
    found.append(
        "All variants have the same learning rate, dropout and other settings: one that needs others is judged below its "
        "best."
    )
    if setting.tested_on_validation:
        found.append(
            "There was no test text: scores are of the validation text, by which the weights were chosen too, and so a "
            "little too high. Give --test-source and --test-target."
        )
    if setting.made_up_text:
        found.append(
            "The built-in corpus is made by a grammar: its sentences are short and regular. Repeat this with your own text "
            "before you rely on it."
        )
    if setting.jobs > 1:
        found.append(
            f"{setting.jobs} runs shared the machine: times and speeds are those of a busy one, and can be compared with "
            f"each other only."
        )
    return found


def _unequal(findings: Findings, plan: Plan) -> list[str]:
    """Say what was not the same, although or because the variants were matched by something else."""
    found = []
    variants = findings.variants
    if plan.match.budget == "updates":
        cut = _cut_short(findings)
        if cut:
            planned = variants[0].planned.steps
            found.append(f"The updates are not equal: of the {planned:,} planned, {'; '.join(cut)}.")
        times = sorted(variants, key=_TRAINING.mean)
        if not cut and _TRAINING.clearly_less(times[0], times[-1]):
            ratio = _TRAINING.mean(times[-1]) / _TRAINING.mean(times[0])
            found.append(
                f"The same updates took {times[-1].name} {ratio:.1f} times as long as {times[0].name}; with --match time "
                f"the order may be another."
            )
    if not plan.match.parameters:
        sizes = sorted(variants, key=lambda each: each.planned.parameters)
        ratio = sizes[-1].planned.parameters / sizes[0].planned.parameters
        if ratio > 1 + _SAME_COST:
            found.append(
                f"{sizes[-1].name} has {ratio:.1f} times the parameters of {sizes[0].name}: part of the difference may be "
                f"size; see --match parameters."
            )
    return found


def _cut_short(findings: Findings) -> list[str]:
    """Return, in words, the variants that stopped before their last update."""
    found = []
    for each in findings.variants:
        cut = [result.training for result in each.results if result.training.steps < each.planned.steps]
        if cut:
            steps = sorted({training.steps for training in cut})
            span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
            reasons = "; ".join(sorted({training.reason for training in cut}))
            found.append(f"{each.name} had {span} in {len(cut)} of {len(each.results)} runs ({reasons})")
    return found
