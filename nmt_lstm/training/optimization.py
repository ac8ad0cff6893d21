"""The optimizer: Adam or AdamW over two groups of parameters, and the clipping of gradients."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer

from nmt_lstm.config.schema import OptimizerSettings

__all__ = ["build_optimizer", "clip_gradients"]


def build_optimizer(model: nn.Module, settings: OptimizerSettings, *, fused: bool) -> Optimizer:
    """Return the optimizer; biases and other vectors are not decayed.

    `fused` asks for PyTorch's one-kernel update. It unscales fp16 gradients by itself, after they were clipped:
    leave it off with a gradient scaler.
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
    """Clip the gradients in place, components first, and return their norm before clipping by norm.

    0 switches either off. The norm is a tensor on the parameters' device; nobody waits for it here.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.grad is not None]
    if largest_value > 0.0:
        nn.utils.clip_grad_value_(parameters, largest_value)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if largest_norm > 0.0:
        nn.utils.clip_grads_with_norm_(parameters, largest_norm, norm)
    return norm.detach()
