"""Messages of libraries that a worker's log leaves out: they come with every image and need no action.

CLIP reads 77 tokens of a prompt. Stable Diffusion 3 gives the whole prompt to T5 next to it, and its pipelines warn of
each one that is longer, refined prompts above all. That T5 cut something off too is still said. bitsandbytes looks for
kernels for the CPU on a hub, and says that it found none.
"""

import logging

LOGGERS = (
    "diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3",
    "diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3_img2img",
    "transformers.tokenization_utils_base",
    "bitsandbytes.backends.cpu.ops",
)
OF_NO_CONSEQUENCE = (
    "truncated because CLIP can only handle",
    "maximum sequence length for this model",
    "from kernels-community",
)


def is_news(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not any(words in message for words in OF_NO_CONSEQUENCE)
