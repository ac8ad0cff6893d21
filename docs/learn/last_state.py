"""No attention: the decoder gets the encoder's last state and nothing else, as in the first neural translators."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm import ATTENTIONS, Attention


@ATTENTIONS.register("last_state")
class LastState(Attention):
    """All weight on the last source position, whatever is asked (Sutskever et al. 2014, Cho et al. 2014)."""

    def project_keys(self, source_states: Tensor) -> Tensor:
        """Return (B, S, 1): the number of each position."""
        positions = torch.arange(source_states.shape[1], device=source_states.device)
        return positions[None, :, None].expand(len(source_states), -1, 1).to(source_states.dtype)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return (B, Q, S): so much more for each later position that the last token gets all the weight."""
        return (100 * keys).transpose(1, 2).expand(-1, query.shape[1], -1)
