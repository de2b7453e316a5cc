"""Stable Diffusion 3.5 Large as an architecture: random weights on the device, and the operations of one pass."""

from typing import Any

from generation.engines.tiny import sd3 as tiny_sd3


def build(device: Any) -> Any:
    """The pipeline in bf16 with the public configuration's sizes: 8.1 + 4.8 + 0.7 + 0.1 billion weights, 28 GB."""
    import torch
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection, T5Config, T5EncoderModel

    tokenizer = tiny_sd3.clip_tokenizer()
    ids = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            torch.manual_seed(0)
            parts: dict[str, Any] = {
                "transformer": SD3Transformer2DModel(
                    sample_size=128,
                    patch_size=2,
                    in_channels=16,
                    out_channels=16,
                    num_layers=38,
                    attention_head_dim=64,
                    num_attention_heads=38,
                    joint_attention_dim=4096,
                    caption_projection_dim=38 * 64,
                    pooled_projection_dim=2048,
                    pos_embed_max_size=192,
                    dual_attention_layers=(),
                    qk_norm="rms_norm",
                ),
                "vae": AutoencoderKL(
                    down_block_types=("DownEncoderBlock2D",) * 4,
                    up_block_types=("UpDecoderBlock2D",) * 4,
                    block_out_channels=(128, 256, 512, 512),
                    layers_per_block=2,
                    latent_channels=16,
                    sample_size=1024,
                    use_quant_conv=False,
                    use_post_quant_conv=False,
                    shift_factor=0.0609,
                    scaling_factor=1.5305,
                ),
                "text_encoder": CLIPTextModelWithProjection(
                    CLIPTextConfig(
                        hidden_size=768,
                        intermediate_size=3072,
                        num_hidden_layers=12,
                        num_attention_heads=12,
                        projection_dim=768,
                        **ids,
                    )
                ),
                "text_encoder_2": CLIPTextModelWithProjection(
                    CLIPTextConfig(
                        hidden_size=1280,
                        intermediate_size=5120,
                        num_hidden_layers=32,
                        num_attention_heads=20,
                        projection_dim=1280,
                        hidden_act="gelu",
                        **ids,
                    )
                ),
                "text_encoder_3": T5EncoderModel(
                    T5Config(
                        vocab_size=32128,
                        d_model=4096,
                        d_kv=64,
                        d_ff=10240,
                        num_layers=24,
                        num_heads=64,
                        feed_forward_proj="gated-gelu",
                    )
                ),
            }
    finally:
        torch.set_default_dtype(before)
    for part in parts.values():
        part.to(device=device, dtype=torch.bfloat16).eval()
    return StableDiffusion3Pipeline(
        **parts,
        tokenizer=tokenizer,
        tokenizer_2=tiny_sd3.clip_tokenizer(),
        tokenizer_3=tiny_sd3.t5_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def flops_a_pass(config: Any, latents_side: int, n_words: int) -> int:
    """Operations of the transformer's matrix multiplications for one image without guidance.

    latents_side  of a square image; n_words  tokens of text. A multiplication with addition counts as two.
    """
    width = config.num_attention_heads * config.attention_head_dim
    patch = config.patch_size**2
    n_patches = latents_side**2 // patch
    n_all, square = n_patches + n_words, width**2
    layers, dual = config.num_layers, len(config.dual_attention_layers)
    # Each layer, per token: query, key, value and output (4), and the feed-forward there and back (2 × 4).
    linear = layers * n_patches * 12 * square + layers * n_words * 12 * square
    linear -= n_words * 9 * square  # the last layer drops the text after its query, key and value
    linear += dual * n_patches * 4 * square
    # Once an image: scales and shifts from the time, 6 for each stream; the last layer's text and the end need 2.
    linear += ((12 * layers - 4) + 3 * dual + 2) * square
    linear += 256 * width + square + config.pooled_projection_dim * width + square
    linear += n_words * config.joint_attention_dim * width
    linear += n_patches * patch * (config.in_channels + config.out_channels) * width
    attention = layers * 2 * n_all**2 * width + dual * 2 * n_patches**2 * width
    return 2 * (linear + attention)
