"""Images per second of DetailScribe's switch matrix: our engine compared with the plain loop that the released code is.

    python -m tests.benchmarks.generation [--large] [--prompts 4] [--compile] [--forward-size 1]

For each prompt five images: the baseline, and four more that change to the refined prompt after 1, 2, 3 and 5 steps
(the released code's k = 0, 1, 2, 4). The released code runs all steps again for each; ours goes on from kept states.
Both draw the same images: the largest difference is printed. Without options: the tiny random weights on the CPU.
--large: the architecture of Stable Diffusion 3.5 Large with random weights in bf16 on CUDA, everything resident, which
the released code (4 bits, offloaded) is not: it is given the better conditions.
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from generation.engines.device import choose_device, computing_threads
from generation.engines.torchvision_schema import prepare
from generation.recipes.contract import DrawRequest, Resume
from generation.recipes.engine_spec import Surroundings
from tests.benchmarks.sd35_large import flops_a_pass

SWITCHES = (0, 1, 2, 4)
SEED, GUIDANCE, T5_LENGTH = 2628670643, 4.5, 512
ANIMALS = ("fox", "otter", "badger", "heron", "hedgehog", "beaver", "crow", "hedgehog")


@dataclass(frozen=True)
class Work:
    """What is drawn: pairs of a prompt and its refined prompt, in how many steps, at how many pixels per side."""

    pairs: list[tuple[str, str]]
    n_steps: int
    side: int

    @property
    def n_images(self) -> int:
        return len(self.pairs) * (1 + len(SWITCHES))


def work_of(n_prompts: int, n_steps: int, side: int) -> Work:
    firsts = [f"The {ANIMALS[i % len(ANIMALS)]} number {i} stirs a stew with a ladle." for i in range(n_prompts)]
    return Work(
        [(one, f"{one} Its paw wraps around the handle, the ladle is in the pot.") for one in firsts], n_steps, side
    )


def plain(pipe: Any, work: Work) -> list[bytes]:
    """The released loop: each image by all steps from the seed, the embedding replaced at the end of step k."""
    import torch

    files = []
    for prompt, refined in work.pairs:
        for k in (None, *SWITCHES):
            changed = None
            if k is not None:
                with torch.no_grad():
                    tokens, no_tokens, _, _ = pipe.encode_prompt(refined, None, None, max_sequence_length=T5_LENGTH)
                changed = torch.cat([no_tokens, tokens])

            def swap(pipe: Any, step: int, at: Any, now: Any, k: Any = k, changed: Any = changed) -> Any:
                if step == k:
                    now["prompt_embeds"] = changed
                return now

            image = pipe(
                prompt,
                num_inference_steps=work.n_steps,
                guidance_scale=GUIDANCE,
                width=work.side,
                height=work.side,
                max_sequence_length=T5_LENGTH,
                generator=torch.Generator("cpu").manual_seed(SEED),
                callback_on_step_end=swap,
                callback_on_step_end_tensor_inputs=["prompt_embeds"],
            ).images[0]
            file = BytesIO()
            image.save(file, format="PNG")
            files.append(file.getvalue())
    return files


def ours(engine: Any, work: Work) -> list[bytes]:
    """The baselines with their states kept, then the four others from them, batched over the prompts."""

    def request(prompt: str, **more: Any) -> DrawRequest:
        return DrawRequest(prompt, SEED, work.n_steps, GUIDANCE, work.side, work.side, **more)

    keep = tuple(k + 1 for k in SWITCHES)
    baselines = _in_batches(engine, [request(prompt, keep_after=keep) for prompt, _ in work.pairs])
    resumed = [
        request(refined, start=Resume(baseline.kept[k + 1], k + 1, prompt, swap_pooled=False))
        for (prompt, refined), baseline in zip(work.pairs, baselines, strict=True)
        for k in SWITCHES
    ]
    others = iter(_in_batches(engine, resumed))
    return [one.png for baseline in baselines for one in (baseline, *(next(others) for _ in SWITCHES))]


def _in_batches(engine: Any, requests: list[DrawRequest]) -> list[Any]:
    size = engine.batch_size
    return [one for at in range(0, len(requests), size) for one in engine.draw(requests[at : at + size])]


def peak_flops(device: Any, dtype: Any) -> float:
    """The best of several large matrix multiplications on this device, in operations per second."""
    import torch

    n = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    return 2 * n**3 / min(_seconds(lambda: a @ b, device) for _ in range(20))


def _seconds(work: Callable[[], Any], device: Any) -> float:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def largest_difference(first: list[bytes], second: list[bytes]) -> int:
    """Of 255 levels, over all pixels of all images."""
    pairs = zip(first, second, strict=True)
    return max(
        int(np.abs(np.asarray(Image.open(BytesIO(a))).astype(int) - np.asarray(Image.open(BytesIO(b)))).max())
        for a, b in pairs
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="Stable Diffusion 3.5 Large's architecture, on CUDA")
    parser.add_argument("--prompts", type=int, help="default 4, with --large 2")
    parser.add_argument("--steps", type=int, default=28)
    parser.add_argument("--side", type=int, help="pixels; default 64, with --large 1024")
    parser.add_argument("--forward-size", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--compile", action="store_true", help="torch.compile ours, outside the measured time")
    parser.add_argument("--fp8", action="store_true", help="ours multiplies in 8 bits: other rounding, faster")
    parser.add_argument("--repeats", type=int, help="the best counts; default 3, with --large 1")
    said = parser.parse_args()

    prepare()
    import torch
    from transformers import logging

    logging.set_verbosity_error()  # CLIP reads the first 77 tokens of a prompt, and says so each time
    from generation.engines.sd3 import eight_bits
    from generation.engines.sd3.engine import Sd3
    from generation.engines.sd3.loading import Options
    from generation.engines.tiny import sd3 as tiny_sd3
    from tests.benchmarks.sd35_large import build

    device = choose_device(Surroundings(device="cuda" if said.large else "cpu"))
    pipe = build(device) if said.large else tiny_sd3.build()
    pipe.set_progress_bar_config(disable=True)
    if said.fp8:
        pipe.to(torch.bfloat16)
    dtype = pipe.transformer.dtype
    options = Options(
        model="random weights",
        dtype="bf16" if said.large or said.fp8 else "fp32",
        quantization="fp8" if said.fp8 else None,
        t5_length=T5_LENGTH,
        forward_size=said.forward_size,
        batch_size=said.batch_size,
        compile=said.compile,
        threads=None if said.large else 1,
    )
    work = work_of(said.prompts or (2 if said.large else 4), said.steps, said.side or (1024 if said.large else 64))
    repeats = said.repeats or (1 if said.large else 3)
    our_pipe = pipe
    if said.fp8:
        our_pipe = type(pipe)(**{**pipe.components, "transformer": copy.deepcopy(pipe.transformer)})
        eight_bits.check_device(device)
        eight_bits.convert(our_pipe.transformer)
    with computing_threads(None if said.large else 1):
        warm = work_of(1, max(SWITCHES) + 2, work.side)
        plain(pipe, warm)
        ours(Sd3(our_pipe, options, device), warm)
        peak = peak_flops(device, dtype)
        plain_s, ours_s, files = [], [], {}
        for _ in range(repeats):
            engine = Sd3(our_pipe, options, device)  # a new one remembers no prompt
            if said.compile:
                ours(engine, warm)
            plain_s.append(_seconds(lambda: files.update(plain=plain(pipe, work)), device))
            ours_s.append(_seconds(lambda: files.update(ours=ours(engine, work)), device))  # noqa: B023

    name = torch.cuda.get_device_name(device) if said.large else "CPU, one thread"
    a_pass = 2 * flops_a_pass(pipe.transformer.config, work.side // pipe.vae_scale_factor, 77 + T5_LENGTH)
    n_plain = work.n_images * work.n_steps
    n_ours = n_plain - len(work.pairs) * sum(k + 1 for k in SWITCHES)
    print(f"{name}, torch {torch.__version__}, {'SD3.5 Large' if said.large else 'tiny'}, {str(dtype)[6:]}, ", end="")
    print(f"{work.side} px, {work.n_steps} steps, {len(work.pairs)} prompts, {work.n_images} images, {options}")
    print(f"matrix multiplication: {peak / 1e12:.3g} TFLOP/s; a guided step: {a_pass / 1e12:.3g} TFLOP\n")
    print(f"{'':14}{'seconds':>9}{'images/s':>10}{'steps':>7}{'of the bound':>14}")
    for words, seconds, n in (("plain loop", min(plain_s), n_plain), ("this engine", min(ours_s), n_ours)):
        share = n * a_pass / seconds / peak
        print(f"{words:14}{seconds:>9.2f}{work.n_images / seconds:>10.3g}{n:>7}{share:>13.1%}")
    print(f"\n{min(plain_s) / min(ours_s):.2f} times as fast; ", end="")
    print(f"largest difference of a pixel: {largest_difference(files['plain'], files['ours'])} of 255 levels")


if __name__ == "__main__":
    main()
