"""The Lightning data module: training batches of a token store, and validation batches of text lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytorch_lightning as pl
import torch

from nmt_lstm.batching.batch import Batch
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.token_store import TokenStore

__all__ = ["TranslationDataModule"]
