"""The denoising loop of Stable Diffusion 3, in which every image has its own seed, start, prompts and kept states.

The same arithmetic, in the same order and formats, as StableDiffusion3Pipeline and FlowMatchEulerDiscreteScheduler of
diffusers, so that a plain drawing equals theirs to the last bit. The transformer always sees the same number of images:
rounding depends on that number, but not on which images, nor on the steps that they are at.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generation.engines.sd3.words import Words
from generation.recipes.contract import OnStep

if TYPE_CHECKING:
    import torch

Transformer = Callable[..., tuple["torch.Tensor"]]


@dataclass
class Canvas:
    """An image under way.

    latents  (1, channels, height, width), as after `n_done` steps; kept: the states asked for, by steps done
    sigmas   (n_steps + 1,) float32 on the device, the share of noise before each step and at the end
    times    (n_steps,) the times that the transformer gets
    """

    latents: "torch.Tensor"
    n_done: int
    sigmas: "torch.Tensor"
    times: "torch.Tensor"
    guidance: float
    words: Words
    avoided: Words | None  # None without guidance
    keep_after: frozenset[int] = frozenset()
    kept: dict[int, "torch.Tensor"] = field(default_factory=dict)

    @property
    def n_left(self) -> int:
        return len(self.times) - self.n_done

    def advance(self, predicted: "torch.Tensor") -> None:
        """One Euler step along the predicted direction, in float32 and rounded back, as the scheduler's `step`."""
        import torch

        width = self.sigmas[self.n_done + 1] - self.sigmas[self.n_done]
        self.latents = (self.latents.to(torch.float32) + width * predicted).to(predicted.dtype)
        self.n_done += 1
        if self.n_done in self.keep_after:
            self.kept[self.n_done] = self.latents


def denoise(transformer: Transformer, canvases: Sequence[Canvas], forward_size: int, on_step: OnStep) -> None:
    """Finish all images, forward_size at a time; as one is done, the next takes its place. Raises what on_step does.

    on_step counts steps of single images.
    """
    total, done = sum(canvas.n_left for canvas in canvases), 0
    for group in _alike(canvases):
        waiting = deque(canvas for canvas in group if canvas.n_left)
        under_way: list[Canvas] = []
        while waiting or under_way:
            while waiting and len(under_way) < forward_size:
                under_way.append(waiting.popleft())
            _step(transformer, under_way, forward_size)
            done += len(under_way)
            under_way = [canvas for canvas in under_way if canvas.n_left]
            on_step(done, total)


def _alike(canvases: Sequence[Canvas]) -> list[list[Canvas]]:
    """Those that fit into one pass together: of one size, and all with guidance or all without."""
    groups: dict[Any, list[Canvas]] = {}
    for canvas in canvases:
        groups.setdefault((canvas.latents.shape, canvas.avoided is None), []).append(canvas)
    return list(groups.values())


def _step(transformer: Transformer, canvases: Sequence[Canvas], forward_size: int) -> None:
    """One pass of the transformer, and one step of each image. Empty slots repeat the first image."""
    import torch

    slots = [*canvases, *[canvases[0]] * (forward_size - len(canvases))]
    latents = [slot.latents for slot in slots]
    times = [slot.times[slot.n_done] for slot in slots]
    words = [slot.words for slot in slots]
    avoided = [slot.avoided for slot in slots if slot.avoided is not None]
    if avoided:
        latents, times, words = latents * 2, times * 2, avoided + words
    (predicted,) = transformer(
        hidden_states=torch.cat(latents),
        timestep=torch.stack(times),
        encoder_hidden_states=torch.cat([one.tokens for one in words]),
        pooled_projections=torch.cat([one.pooled for one in words]),
        return_dict=False,
    )
    for at, canvas in enumerate(canvases):
        direction = predicted[at : at + 1]
        if avoided:
            towards = predicted[forward_size + at : forward_size + at + 1]
            direction = direction + canvas.guidance * (towards - direction)
        canvas.advance(direction)
