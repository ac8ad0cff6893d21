"""How a pointwise update becomes a sequence: unrolled step by step, recorded, or as a linear scan over time."""
