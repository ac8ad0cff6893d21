"""How a pointwise update becomes a sequence: unrolled step by step, or as a linear scan over time."""
