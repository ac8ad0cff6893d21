"""The optimizer: Adam or AdamW over two groups of parameters, and the clipping of gradients."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from nmt_lstm.config.schema import OptimizerSettings

__all__ = ["build_optimizer", "clip_gradients"]


def build_optimizer(model: nn.Module, settings: OptimizerSettings, *, fused: bool) -> Optimizer:
    """Return the optimizer; biases and other vectors are not decayed.

    Args:
        model: whose parameters are optimized.
        settings: of the optimizer.
        fused: use PyTorch's single-kernel update. It must be off with a gradient scaler: it would unscale fp16
            gradients itself, after they were clipped.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [weight for weight in parameters if weight.ndim >= 2],
            "weight_decay": settings.weight_decay,
        },
        {"params": [vector for vector in parameters if vector.ndim < 2], "weight_decay": 0.0},
    ]
    kind = AdamW if settings.name == "adamw" else Adam
    return kind(
        [group for group in groups if group["params"]],
        lr=settings.learning_rate,  # `TranslationModule` sets the schedule's rate before every step
        betas=settings.betas,
        eps=settings.epsilon,
        fused=fused,
        foreach=None if fused else True,
    )


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
