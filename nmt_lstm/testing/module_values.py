"""Checks of any cell, attention or encoder as a class and a module: options, state between calls, copies, fresh parameters."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nmt_lstm.errors import PluginError
from nmt_lstm.testing.failure import Comparison, ConformanceFailure, DoesNotApply
from nmt_lstm.testing.subject import CellSubject, Subject

__all__ = [
    "copies_compute_the_same",
    "nothing_is_kept_between_calls",
    "options_fit_a_run_file",
    "parameters_are_drawn_again",
]

RESET_HINT = (
    "Override reset_parameters: call super().reset_parameters(), then draw the cell's own parameters as the constructor "
    "does."
)
# The standard deviation of so many random numbers is accurate to about 1/sqrt(2 n) = 10 %, so a factor of 2 is no
# coincidence; fewer are not compared.
MIN_COMPARED = 50
MAX_RATIO = 2.0


def options_fit_a_run_file(subject: Subject) -> str:
    """Options are keyword-only, with a type and a default, and the class can be imported by its name."""
    if "<locals>" in subject.name:
        raise ConformanceFailure(
            f"{subject.name} cannot be imported: it is defined inside a function",
            "Define the class at the top level of a module or plugin file.",
        )
    try:
        specs = subject.registry.options(subject.name)
        subject.registry.check(subject.name, subject.options)
    except PluginError as problem:
        raise ConformanceFailure(
            str(problem).rstrip("."),
            "All arguments except those of the framework (sizes; an encoder's dropout) are options in a run file: '*, name: type = default'.",
        ) from problem
    return "options: " + ("; ".join(str(spec) for spec in specs.values()) or "none")


def nothing_is_kept_between_calls(subject: Subject) -> str:
    """A call changes neither the module nor its arguments, and its result does not depend on other calls."""
    module: Any = subject.build()
    calls = subject.calls(module)
    hint = "State is passed and returned, never stored, and arguments are not changed in place."
    attributes = _attributes(module)
    versions = [[tensor._version for tensor in call] for call in calls]  # noqa: SLF001 - the only counter of changes in torch
    expected = [result.clone() for result in subject.run(module, calls[0])]
    for call in calls[1:]:
        subject.run(module, call)
    after = _attributes(module)
    for name in sorted(attributes.keys() | after.keys()):
        if name not in attributes or name not in after or not _same(attributes[name], after[name]):
            raise ConformanceFailure(f"a call changed the module's attribute '{name}'", hint)
    if versions != [[tensor._version for tensor in call] for call in calls]:  # noqa: SLF001
        raise ConformanceFailure("a call changed one of its arguments", hint)
    comparison = Comparison(0.0, hint)
    for number, (actual, result) in enumerate(zip(subject.run(module, calls[0]), expected, strict=True)):
        comparison.add(f"result {number} of the first call, repeated", actual, result)
    return f"{len(attributes)} attributes unchanged; the first call, repeated, is {comparison}"


def _attributes(module: nn.Module) -> dict[str, object]:
    """Return all attributes of a module and its submodules, items of collections separately, tensors with their versions."""
    attributes: dict[str, object] = {}
    for prefix, submodule in module.named_modules():
        for name, value in vars(submodule).items():
            key = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Mapping):
                attributes.update({f"{key}[{inner!r}]": _with_version(item) for inner, item in value.items()})
            elif isinstance(value, (list, tuple, set)):
                attributes.update(
                    {f"{key}[{number}]": _with_version(item) for number, item in enumerate(value)}
                )
            else:
                attributes[key] = _with_version(value)
    return attributes


def _with_version(value: object) -> object:
    return (value, value._version) if isinstance(value, Tensor) else value  # noqa: SLF001


def _same(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple) and one and isinstance(one[0], Tensor):
        return one[0] is other[0] and one[1] == other[1]
    return one is other or (isinstance(one, (int, float, str)) and one == other)


def copies_compute_the_same(subject: Subject) -> str:
    """Copies, by state dict, deepcopy and pickle, return the same results to the last bit."""
    hint = "Everything that determines the results must be a parameter, a buffer or an option of the constructor."
    module: Any = subject.build()
    call = subject.calls(module)[0]
    expected = [result.clone() for result in subject.run(module, call)]
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    loaded: Any = subject.build(seed=2)
    try:
        loaded.load_state_dict(torch.load(file, weights_only=True))
    except (RuntimeError, pickle.UnpicklingError) as problem:
        raise ConformanceFailure(
            f"the state dict cannot be loaded: {' '.join(str(problem).split())[:200]}", hint
        ) from problem
    try:
        pickled = pickle.loads(pickle.dumps(module))  # noqa: S301 - pickled in this line
    except (pickle.PicklingError, AttributeError, TypeError) as problem:
        raise ConformanceFailure(
            f"the module cannot be pickled: {problem}",
            "Define classes and functions at the top level of a module, and store no lambda in the module.",
        ) from problem
    comparison = Comparison(0.0, hint)
    copies = {"state dict": loaded, "deep copy": copy.deepcopy(module), "pickle": pickled}
    for kind, other in copies.items():
        for number, (actual, result) in enumerate(zip(subject.run(other, call), expected, strict=True)):
            comparison.add(f"result {number} of the {kind}", actual, result)
    return f"state dict, deep copy and pickle: {comparison}"


def parameters_are_drawn_again(subject: CellSubject) -> str:
    """`reset_parameters` initializes every parameter in the same way as the constructor."""
    # Two cells with different seeds show which values are random: these must have the same standard deviation after a
    # reset, all others the same values. Random values are not compared, because authors may draw them in any order.
    drawn = [dict(subject.build_fresh(seed).named_parameters()) for seed in (1, 2)]
    cell = subject.build_fresh(3)
    parameters = dict(cell.named_parameters())
    if not parameters:
        raise DoesNotApply("the cell has no parameters")
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.fill_(torch.nan)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        cell.reset_parameters()
    with torch.no_grad():
        stale = [name for name, parameter in cell.named_parameters() if bool(parameter.isnan().any())]
        if stale:
            raise ConformanceFailure(f"reset_parameters does not reset {', '.join(stale)}", RESET_HINT)
        for name, parameter in cell.named_parameters():
            _compare_reset(name, parameter, [other[name] for other in drawn])
    return f"{len(parameters)} parameters"


def _compare_reset(name: str, reset: Tensor, drawn: Sequence[Tensor]) -> None:
    constant = drawn[0] == drawn[1]
    if not torch.equal(reset[constant], drawn[0][constant]):
        raise ConformanceFailure(
            f"'{name}' has different values after reset_parameters than after construction", RESET_HINT
        )
    if int((~constant).sum()) < MIN_COMPARED:
        return
    ratio = float(reset[~constant].std() / drawn[0][~constant].std())
    if not 1.0 / MAX_RATIO < ratio < MAX_RATIO:
        raise ConformanceFailure(
            f"'{name}' has {ratio:.1f} times the standard deviation after reset_parameters that it has after construction",
            RESET_HINT,
        )
