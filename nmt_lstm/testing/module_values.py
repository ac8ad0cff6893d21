"""Checks of any part as a class and a torch module: options, nothing kept between calls, copies that are copies."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from nmt_lstm.errors import PluginError
from nmt_lstm.registry import Registry
from nmt_lstm.testing.comparison import Comparison
from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["check_copies", "check_nothing_kept", "check_options"]

Results = tuple[Tensor, ...]


def check_options(registry: Registry, name: str, options: Mapping[str, object]) -> str:
    """Ask the registry whether a run file could name the part and give its options.

    Raises:
        ConformanceFailure: it could not.
    """
    if "<locals>" in name:
        raise ConformanceFailure(
            f"{name} cannot be imported: it is defined inside a function",
            "Define the class at the top of a module or of a plugin file.",
        )
    try:
        specs = registry.options(name)
        registry.check(name, options)
    except PluginError as problem:
        raise ConformanceFailure(
            str(problem).rstrip("."),
            "Everything but the two sizes is an option of the run file: '*, name: type = default'.",
        ) from problem
    return "options: " + ("; ".join(str(spec) for spec in specs.values()) or "none")


def check_nothing_kept(
    module: nn.Module, run: Callable[[nn.Module, Results], Results], calls: Sequence[Results]
) -> str:
    """Give a module the tensors of each call, then of the first again.

    Raises:
        ConformanceFailure: the first call's results changed, a call changed an attribute or a buffer of the module, or
            a tensor that it was given.
    """
    hint = "A state is a value: take it as an argument and return it; change no tensor in place that you were given."
    before = _attributes(module)
    versions = [[tensor._version for tensor in call] for call in calls]  # noqa: SLF001 - torch's only counter of changes
    expected = [result.clone() for result in run(module, calls[0])]
    for call in calls[1:]:
        run(module, call)
    after = _attributes(module)
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after or not _same(before[name], after[name]):
            raise ConformanceFailure(f"a call changed the module's attribute '{name}'", hint)
    if versions != [[tensor._version for tensor in call] for call in calls]:  # noqa: SLF001
        raise ConformanceFailure("a call changed a tensor that it was given", hint)
    comparison = Comparison(0.0, hint)
    for number, (seen, wanted) in enumerate(zip(run(module, calls[0]), expected, strict=True)):
        comparison.add(f"result {number} of the first call, called again", seen, wanted)
    return f"{len(before)} attributes unchanged; the first call again is {comparison}"


def _attributes(module: nn.Module) -> dict[str, object]:
    """Return all attributes of a module and its parts, tensors with their counters of changes, collections by item."""
    found: dict[str, object] = {}
    for prefix, part in module.named_modules():
        for name, value in vars(part).items():
            key = f"{prefix}.{name}" if prefix else name
            if isinstance(value, Mapping):
                found.update({f"{key}[{inner!r}]": _counted(item) for inner, item in value.items()})
            elif isinstance(value, (list, tuple, set)):
                found.update({f"{key}[{number}]": _counted(item) for number, item in enumerate(value)})
            else:
                found[key] = _counted(value)
    return found


def _counted(value: object) -> object:
    return (value, value._version) if isinstance(value, Tensor) else value  # noqa: SLF001


def _same(one: object, other: object) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple) and one and isinstance(one[0], Tensor):
        return one[0] is other[0] and one[1] == other[1]
    return one is other or (isinstance(one, (int, float, str)) and one == other)


def check_copies(build: Callable[[int], nn.Module], run: Callable[[nn.Module], Results]) -> str:
    """Compare a module with its state dict loaded into another, its deep copy and its pickle.

    Args:
        build: makes a module of a seed.
        run: gives a module the same tensors each time.

    Raises:
        ConformanceFailure: one of them cannot be made, or computes something else.
    """
    hint = "Keep all that decides the results in parameters, buffers or the constructor's options."
    module = build(1)
    expected = [result.clone() for result in run(module)]
    written = io.BytesIO()
    torch.save(module.state_dict(), written)
    written.seek(0)
    loaded = build(2)
    try:
        loaded.load_state_dict(torch.load(written, weights_only=True))
    except (RuntimeError, pickle.UnpicklingError) as problem:
        raise ConformanceFailure(
            f"the state dict cannot be loaded: {' '.join(str(problem).split())[:200]}", hint
        ) from problem
    try:
        pickled = pickle.loads(pickle.dumps(module))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError) as problem:
        raise ConformanceFailure(
            f"the module cannot be pickled: {problem}",
            "Define classes and functions at the top of a module, and keep no lambda on self.",
        ) from problem
    comparison = Comparison(0.0, hint)
    copies = {"state dict": loaded, "deep copy": copy.deepcopy(module), "pickle": pickled}
    for kind, other in copies.items():
        for number, (seen, wanted) in enumerate(zip(run(other), expected, strict=True)):
            comparison.add(f"result {number} of the {kind}", seen, wanted)
    return f"state dict, deep copy and pickle: {comparison}"
