"""Matrix products, precision and memory: how the arithmetic is done on this machine.

The products; all but the last two are ``inputs @ weight.T + bias``:

- `linear.linear`: once, differentiable.
- `sequence_linear.sequence_linear`, and its module `Linear`: over a whole sequence, faster than `linear` in bf16 training.
- `linear.repeated_linear`: many times with the same weight, which is packed once; without gradients.
- `inference_linear.inference_linear`: a layer for inference in float32, bf16 or int8.
- `batched_product.batched_product`: ``left @ right`` for each sentence of a batch, differentiable.
- `linear.matmul`: ``left @ right`` without gradients, for backward passes written by hand.

Without gradients, a row's result never depends on the number of rows.
"""
