"""Numbers for tests, and the ways in which a test is repeated."""

import pytest
import torch

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def normal(*shape, seed=0, dtype=torch.float64, scale=1.0):
    """Standard normal numbers that depend on ``seed`` alone."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * scale).to(dtype)


def coin(*shape, seed=0, share=0.6):
    """A random mask."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < share
