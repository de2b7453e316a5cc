"""Stable Diffusion XL in small: random weights through the real classes, built without any file, for the CPU."""

from typing import Any

from generation.engines.tiny.sd3 import SEED, WIDTH, clip_encoder, clip_tokenizer


def build() -> Any:
    """A StableDiffusionXLPipeline in float32 on the CPU, always the same weights; draws no global random number."""
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel

    n_size_numbers, size_width = 6, 8  # the original size, the crop and the target size go in next to the prompt
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        second = clip_encoder(WIDTH // 2)
        parts: dict[str, Any] = {
            "unet": UNet2DConditionModel(
                sample_size=32,
                block_out_channels=(8, 16),
                layers_per_block=1,
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
                attention_head_dim=(2, 4),
                use_linear_projection=True,
                addition_embed_type="text_time",
                addition_time_embed_dim=size_width,
                transformer_layers_per_block=(1, 1),
                projection_class_embeddings_input_dim=n_size_numbers * size_width + WIDTH,
                cross_attention_dim=WIDTH,
                norm_num_groups=4,
            ),
            "vae": AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 2,
                up_block_types=("UpDecoderBlock2D",) * 2,
                block_out_channels=(8, 16),
                norm_num_groups=4,
                sample_size=64,
            ),
            "text_encoder": CLIPTextModel(second.config),
            "text_encoder_2": second,
        }
    for part in parts.values():
        part.eval()
    return StableDiffusionXLPipeline(
        **parts,
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        add_watermarker=False,
    )
