"""The random numbers that come next, as bytes."""

from __future__ import annotations

import torch


def random_state(generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """Return the state of `generator` and of what dropout draws from, uint8 (bytes,).

    Args:
        generator: Of order and augmentation.
        device: Where dropout draws; a processor's generator is kept in any case.
    """
    return torch.cat([generator.get_state(), torch.get_rng_state(), *_of_device(device)])


def set_random_state(state: torch.Tensor, generator: torch.Generator, device: torch.device) -> None:
    """Go on drawing from where `random_state` was taken, on the same kind of device."""
    first, second = len(generator.get_state()), len(torch.get_rng_state())
    generator.set_state(state[:first].clone())
    torch.set_rng_state(state[first : first + second].clone())
    last = state[first + second :].clone()
    if device.type == "cuda":
        torch.cuda.set_rng_state(last, device)
    elif device.type == "mps":
        torch.mps.set_rng_state(last)


def _of_device(device: torch.device) -> list[torch.Tensor]:
    if device.type == "cuda":
        return [torch.cuda.get_rng_state(device)]
    return [torch.mps.get_rng_state()] if device.type == "mps" else []
