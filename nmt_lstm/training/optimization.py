"""The optimizer of a run, over groups of parameters, and the clipping of gradients."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from nmt_lstm.config.optimizers import OPTIMIZERS
from nmt_lstm.config.schema import OptimizerSettings, TrainingSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.training.evaluation_weights import SwitchesWeights
from nmt_lstm.training.muon import ORTHOGONAL
from nmt_lstm.training.named_class import checked_options, construct, import_named, parameters_of

__all__ = ["build_optimizer", "check_optimizer", "clip_gradients", "is_fused"]

_NAME = "training.optimizer.name"
_OPTIONS = "training.optimizer.options"
# Parameters with a row for each piece, by the ends of their names: Muon is not meant for them.
_PIECE_TABLES = ("embedding.weight", "output_weight")


@runtime_checkable
class TorchOptimizer(Protocol):
    """What the framework uses of an optimizer, as `torch.optim.Optimizer` defines it."""

    param_groups: list[dict[str, Any]]
    state: MutableMapping[Any, Any]

    def step(self, closure: Any = ...) -> Any:
        """Update the parameters."""

    def zero_grad(self, set_to_none: bool = ...) -> None:
        """Reset the gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state from a checkpoint."""


def build_optimizer(model: nn.Module, settings: OptimizerSettings, *, fused: bool) -> Optimizer:
    """Return the optimizer, ready to train; biases and other vectors are not decayed.

    Args:
        model: whose parameters are optimized.
        settings: of the optimizer.
        fused: use PyTorch's single-kernel update where there is one. It must be off with a gradient scaler: it would
            unscale fp16 gradients itself, after they were clipped.

    Raises:
        ConfigurationError: the class cannot be imported or built, or does not have an option.
        ResourceError: this version of PyTorch does not have the optimizer.
    """
    builtin = OPTIMIZERS.get(settings.name)
    part = import_named(builtin.target if builtin else settings.name, _NAME)
    label = f"optimizer '{settings.name}'"
    parameters = parameters_of(part, _NAME)
    # The schedule's rate is set before every step.
    own: dict[str, Any] = {"lr": settings.learning_rate}
    reserved = {
        "params": "the framework passes the parameters",
        "lr": "set training.optimizer.learning_rate",
        "weight_decay": "set training.optimizer.weight_decay",
    }
    if builtin:
        own |= {argument: getattr(settings, name) for name, argument in builtin.arguments.items()}
        own["fused"] = fused
        if "foreach" in parameters:
            own["foreach"] = None if fused else True
        reserved |= {
            argument: f"set training.optimizer.{name}" for name, argument in builtin.arguments.items()
        }
        reserved |= dict.fromkeys(("fused", "foreach"), "the framework chooses the fastest kernel")
    elif "lr" not in parameters:
        raise ConfigurationError(
            f"{label}: its constructor has no parameter 'lr', so that its learning rate cannot be set.",
            key=_NAME,
            value=settings.name,
        )
    options = checked_options(part, settings.options, label=label, key=_OPTIONS, reserved=reserved)
    decays = "weight_decay" in parameters
    if settings.weight_decay and not decays:
        raise ConfigurationError(
            f"{label} has no weight decay; remove training.optimizer.weight_decay.",
            key="training.optimizer.weight_decay",
            value=settings.weight_decay,
        )
    groups = [
        {"params": weights, **({"weight_decay": decay} if decays else {}), **marks}
        for weights, decay, marks in _groups(model, settings)
        if weights
    ]
    try:
        optimizer = construct(part, groups, label=label, key=_NAME, **own, **options)
    except ConfigurationError as problem:
        if part is getattr(torch.optim, "Muon", None):
            raise ConfigurationError(
                f'{problem} name = "muon" uses it for matrices, and AdamW for the other parameters.',
                key=_NAME,
                value=settings.name,
            ) from problem
        raise
    if not isinstance(optimizer, TorchOptimizer):
        raise ConfigurationError(
            f"{label} is not used like the optimizers of PyTorch: it lacks one of param_groups, state, step, zero_grad, "
            f"state_dict and load_state_dict.",
            key=_NAME,
            value=settings.name,
        )
    if isinstance(optimizer, SwitchesWeights):
        optimizer.train()
    return cast(Optimizer, optimizer)


def check_optimizer(training: TrainingSettings) -> None:
    """Check the optimizer of a run on a tiny network, before anything long: its options, a step, and its state.

    Raises:
        ConfigurationError: it cannot be built or saved, or does not fit other settings.
        ResourceError: this version of PyTorch does not have the optimizer.
    """
    settings = training.optimizer
    with torch.random.fork_rng([]):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        optimizer = build_optimizer(model, settings, fused=True)
        if isinstance(optimizer, SwitchesWeights) and training.ema:
            raise ConfigurationError(
                f"training.ema = {training.ema} cannot be combined with '{settings.name}', which averages the weights itself; "
                f"remove training.ema.",
                key="training.ema",
                value=training.ema,
            )
        if settings.name in OPTIMIZERS:
            return
        label = f"optimizer '{settings.name}'"
        model(torch.ones(1, 2)).sum().backward()
        _check_step(optimizer, label, settings.name)
        file = io.BytesIO()
        try:
            torch.save(optimizer.state_dict(), file)
            file.seek(0)
            optimizer.load_state_dict(torch.load(file, weights_only=True))
        except Exception as problem:
            raise ConfigurationError(
                f"{label} cannot be resumed, because its state does not consist of tensors and plain values "
                f"({' '.join(str(problem).split())[:150]}).",
                key=_NAME,
                value=settings.name,
            ) from problem


def _check_step(optimizer: Optimizer, label: str, name: str) -> None:
    step: Callable[..., Any] = optimizer.step
    try:
        step(lambda: torch.zeros(()))
    except Exception as problem:
        reason = " ".join(str(problem).split())[:300].rstrip(".") or "no message"
        raise ConfigurationError(
            f"{label} cannot train this network: its first step fails with {type(problem).__name__}: {reason}.",
            key=_NAME,
            value=name,
        ) from problem


def is_fused(optimizer: Optimizer) -> bool:
    """Return whether all updates are PyTorch's single-kernel ones, which can skip a step by themselves."""
    return all(group.get("fused") for group in optimizer.param_groups)


def _groups(
    model: nn.Module, settings: OptimizerSettings
) -> Iterator[tuple[list[nn.Parameter], float, dict[str, bool]]]:
    """Yield groups of parameters, each with its weight decay and what else the optimizer must know about it."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [weight for weight in parameters if weight.ndim >= 2]
    vectors = [vector for vector in parameters if vector.ndim < 2]
    if settings.name != "muon":
        yield matrices, settings.weight_decay, {}
        yield vectors, 0.0, {}
        return
    tables = {
        id(weight)
        for name, weight in model.named_parameters(remove_duplicate=False)
        if name.endswith(_PIECE_TABLES) or weight.ndim != 2
    }
    yield (
        [weight for weight in matrices if id(weight) not in tables],
        settings.weight_decay,
        {ORTHOGONAL: True},
    )
    yield [weight for weight in matrices if id(weight) in tables], settings.weight_decay, {ORTHOGONAL: False}
    yield vectors, 0.0, {ORTHOGONAL: False}


def clip_gradients(model: nn.Module, *, largest_norm: float, largest_value: float) -> Tensor:
    """Clip the gradients in place, by value and then by norm, and return the norm in between.

    Args:
        model: whose gradients are clipped.
        largest_norm: of all gradients together; 0 is no limit.
        largest_value: of each component; 0 is no limit.

    Returns:
        The norm, a scalar on the parameters' device, which is not waited for.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    if largest_value > 0.0:
        nn.utils.clip_grad_value_(parameters, largest_value)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if largest_norm > 0.0:
        nn.utils.clip_grads_with_norm_(parameters, largest_norm, norm)
    return norm.detach()
