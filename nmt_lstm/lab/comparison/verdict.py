"""What to make of the findings: a recommendation, and what speaks against trusting it too far."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nmt_lstm.lab.comparison.findings import Findings, VariantFinding
from nmt_lstm.lab.comparison.plan import Plan
from nmt_lstm.training.progress import duration

__all__ = ["Circumstances", "Kind", "Verdict", "give_verdict", "joined_names"]

# Costs closer than this are called equal: timings of a busy machine are not better than that.
_SAME_COST = 0.1
_LEARNED = 1.0  # BLEU
# A lead of more is no tie, though few seeds may not show it: who wants quality should not be sent to the cheaper one.
_LARGEST_TIE = 1.0  # BLEU
_STILL_RISING = 0.5  # BLEU between the last two validations

Kind = Literal["alone", "untrained", "better", "ahead", "undecided", "tie"]
_HEADLINES: dict[Kind, str] = {
    "alone": "Only {best} finished, so there is nothing to compare it with.",
    "untrained": "No variant has learned to translate (the best BLEU is {bleu:.2f}). Train longer.",
    "better": "Take {choice}: it translates better than {others}.",
    "ahead": "{best} is ahead in these runs; with one seed it is not known whether the variant or the seed makes the difference.",
    "undecided": "Not decided: {best} leads {last} by {lead:.1f} BLEU, which is within noise. Use more seeds or more test sentences "
    "before you choose.",
    "tie": "No winner: the differences between {equal} are within noise. Take {choice}: {why}.",
}

_CAUTIONS = {
    "updates": "Of the {planned:,} updates planned, {cut}.",
    "time": "The same updates took {slow} {ratio:.1f} times as long as {quick}; with --match time the order may be different.",
    "parameters": "{large} has {ratio:.1f} times the parameters of {small}: part of the difference may be size; see --match "
    "parameters.",
    "failures": "Failed runs, not counted: {count}. The same command tries them again.",
    "seeds": "With one seed, what a different seed would change is unknown, and often as large as the difference between "
    "variants: use --seeds 1,2,3.",
    "noise": "Differences below about {least:.1f} BLEU cannot be told from noise here; more seeds and more test sentences would "
    "show smaller ones.",
    "rising": "Still improving at the last validation (BLEU since the one before): {gains}. Longer training could change the "
    "order.",
    "settings": "All variants have the same learning rate, dropout and other settings: one that needs others is judged below "
    "its best.",
    "validation text": "There was no test text: scores are of the validation text, by which the weights were chosen too, and so "
    "a little too high. Give --test-source and --test-target.",
    "made-up text": "The built-in corpus is made by a grammar: its sentences are short and regular. Repeat this with your own "
    "text before you rely on it.",
    "busy machine": "{jobs} runs shared the machine: times and speeds can be compared with each other only.",
}


@dataclass(frozen=True)
class Circumstances:
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

    kind: Kind
    """A winner is "better"; of a "tie" the cheapest are chosen."""
    choice: tuple[str, ...]
    """Variants to take; none where that is not known."""
    deciding_costs: tuple[str, ...]
    """Costs by which a tie was decided."""
    headline: str
    """All this in a sentence."""
    cautions: dict[str, str]
    """What speaks against it, in sentences by topic."""


@dataclass(frozen=True)
class _Cost:
    """Something that is better low, and differs from run to run."""

    name: str
    values: Callable[[VariantFinding], list[float]]
    """Of each seed."""
    text: Callable[[float], str]

    def mean(self, variant: VariantFinding) -> float:
        return statistics.fmean(self.values(variant))

    def words(self, variant: VariantFinding) -> str:
        return self.text(self.mean(variant))

    def clearly_less(self, one: VariantFinding, other: VariantFinding) -> bool:
        """Whether every run of `one` costs less than every run of `other`, by more than timing noise."""
        return max(self.values(one)) * (1 + _SAME_COST) < min(self.values(other))


_TRAINING = _Cost(
    "training time", lambda each: [result.training.seconds for result in each.results], duration
)
_COSTS = (
    _Cost(
        "time to translate the test text",
        lambda each: [result.translate_seconds for result in each.results],
        lambda seconds: f"{seconds:.3g} s",
    ),
    _Cost("parameters", lambda each: [float(each.planned.parameters)], lambda number: f"{number:,.0f}"),
    _Cost(
        "memory to train",
        lambda each: [float(result.training.peak_bytes) for result in each.results],
        lambda size: f"{size / 2**20:,.0f} MiB",
    ),
)


def give_verdict(findings: Findings, plan: Plan, circumstances: Circumstances) -> Verdict:
    """Return the recommendation; it names a winner only where the difference is shown to be more than noise."""
    equal = findings.as_good_as_best()
    best, last = equal[0], equal[-1]
    kind = _kind(findings, equal)
    chosen, why, deciding = list[VariantFinding](), "", tuple[str, ...]()
    if kind == "better":
        chosen = [best]
    elif kind == "tie":
        chosen, why, deciding = _cheapest(equal, plan)
    choice = tuple(each.name for each in chosen)
    headline = _HEADLINES[kind].format(
        best=best.name,
        bleu=best.bleu,
        last=last.name,
        lead=best.bleu - last.bleu,
        others=joined_names([each.name for each in findings.variants if each is not best]),
        equal=joined_names([each.name for each in equal]),
        choice=joined_names(choice, "or"),
        why=why,
    )
    if kind not in ("alone", "untrained") and plan.match.budget == "updates" and _cut_short(findings):
        headline += " But the updates were not equal."
    return Verdict(kind, choice, deciding, headline, _cautions(findings, plan, circumstances))


def joined_names(names: Sequence[str], word: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _kind(findings: Findings, equal: Sequence[VariantFinding]) -> Kind:
    if len(findings.variants) == 1:
        return "alone"
    if equal[0].bleu < _LEARNED:
        return "untrained"
    if len(equal) == 1:
        return "better" if all(pair.seeds_counted for pair in findings.pairs) else "ahead"
    return "undecided" if equal[0].bleu - equal[-1].bleu > _LARGEST_TIE else "tie"


def _cheapest(
    equal: Sequence[VariantFinding], plan: Plan
) -> tuple[list[VariantFinding], str, tuple[str, ...]]:
    """Return those of equal quality that cost least, by the first costs in which they differ, with these costs."""
    left, reasons, deciding = list(equal), [], []
    for cost in (*([_TRAINING] if plan.match.budget == "updates" else []), *_COSTS):
        least = min(left, key=cost.mean)
        dear = [each for each in left if cost.clearly_less(least, each)]
        if dear:
            left = [each for each in left if each not in dear]
            others = ", ".join(f"{each.name} {cost.words(each)}" for each in dear)
            reasons.append(f"{cost.name} {cost.words(left[0])} ({others})")
            deciding.append(cost.name)
    return left, "; ".join(reasons) or "no cost tells them apart either", tuple(deciding)


def _cautions(findings: Findings, plan: Plan, circumstances: Circumstances) -> dict[str, str]:
    """Return the sentences that apply."""
    variants, by_updates = findings.variants, plan.match.budget == "updates"
    found: dict[str, dict[str, object]] = {"settings": {}}
    cut = _cut_short(findings) if by_updates else []
    if cut:
        found["updates"] = {"planned": variants[0].planned.steps, "cut": "; ".join(cut)}
    quick, slow = min(variants, key=_TRAINING.mean), max(variants, key=_TRAINING.mean)
    if by_updates and not cut and _TRAINING.clearly_less(quick, slow):
        ratio = _TRAINING.mean(slow) / _TRAINING.mean(quick)
        found["time"] = {"slow": slow.name, "ratio": ratio, "quick": quick.name}
    sizes = {each.planned.parameters: each.name for each in variants}
    ratio = max(sizes) / min(sizes)
    if not plan.match.parameters and ratio > 1 + _SAME_COST:
        found["parameters"] = {"large": sizes[max(sizes)], "ratio": ratio, "small": sizes[min(sizes)]}
    if circumstances.failures:
        found["failures"] = {"count": len(circumstances.failures)}
    if any(len(each.seeds) == 1 for each in variants):
        found["seeds"] = {}
    hidden = [(pair.high - pair.low) / 2 for pair in findings.pairs if not pair.shown]
    if hidden:
        found["noise"] = {"least": statistics.median(hidden)}
    curves = {each.name: each.mean_curve() for each in variants}
    gains = {name: curve[-1].bleu - curve[-2].bleu for name, curve in curves.items() if len(curve) > 1}
    rising = [f"{name} by {gain:.1f}" for name, gain in gains.items() if gain > _STILL_RISING]
    if rising:
        found["rising"] = {"gains": joined_names(rising)}
    if circumstances.tested_on_validation:
        found["validation text"] = {}
    if circumstances.made_up_text:
        found["made-up text"] = {}
    if circumstances.jobs > 1:
        found["busy machine"] = {"jobs": circumstances.jobs}
    return {topic: text.format(**found[topic]) for topic, text in _CAUTIONS.items() if topic in found}


def _cut_short(findings: Findings) -> list[str]:
    """Return, in words, the variants that stopped before their last update."""
    found = []
    for each in findings.variants:
        cut = [result.training for result in each.results if result.training.steps < each.planned.steps]
        if cut:
            steps = [f"{count:,}" for count in sorted({training.steps for training in cut})]
            span = " to ".join(dict.fromkeys([steps[0], steps[-1]]))
            reasons = "; ".join(sorted({training.reason for training in cut}))
            found.append(f"{each.name} had {span} in {len(cut)} of {len(each.results)} runs ({reasons})")
    return found
