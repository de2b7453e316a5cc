"""Stable Diffusion 3 in small: random weights through the real classes, built without any file, for the CPU."""

from typing import Any

WIDTH = 32
SEED = 0


def build(*, t5: bool = True) -> Any:
    """A StableDiffusion3Pipeline in float32 on the CPU, always with the same weights; draws no global random number."""
    import torch
    from diffusers import (
        AutoencoderKL,
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        parts: dict[str, Any] = {
            "transformer": SD3Transformer2DModel(
                sample_size=8,
                patch_size=2,
                in_channels=16,
                out_channels=16,
                num_layers=2,
                attention_head_dim=8,
                num_attention_heads=4,
                joint_attention_dim=WIDTH,
                caption_projection_dim=WIDTH,
                pooled_projection_dim=2 * WIDTH,
                pos_embed_max_size=64,
                qk_norm="rms_norm",
            ),
            "vae": AutoencoderKL(
                in_channels=3,
                out_channels=3,
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                block_out_channels=(8, 8, 16, 16),
                layers_per_block=1,
                latent_channels=16,
                norm_num_groups=4,
                sample_size=64,
                use_quant_conv=False,
                use_post_quant_conv=False,
                shift_factor=0.0609,
                scaling_factor=1.5305,
            ),
            "text_encoder": clip_encoder(WIDTH // 2),
            "text_encoder_2": clip_encoder(WIDTH // 2),
            "text_encoder_3": t5_encoder() if t5 else None,
        }
    for part in parts.values():
        if part is not None:
            part.eval()
    return StableDiffusion3Pipeline(
        **parts,
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        tokenizer_3=t5_tokenizer() if t5 else None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def clip_encoder(width: int) -> Any:
    """A CLIP text encoder of this width, its pooled output WIDTH wide."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    tokenizer = clip_tokenizer()
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=2 * width,
            projection_dim=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def t5_encoder() -> Any:
    """A T5 encoder, WIDTH wide."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=len(t5_tokenizer()),
            d_model=WIDTH,
            d_kv=8,
            d_ff=2 * WIDTH,
            num_layers=2,
            num_heads=4,
            feed_forward_proj="gated-gelu",
        )
    )


def clip_tokenizer() -> Any:
    """CLIP's tokenizer without merges: every byte is a token, at most 77 tokens."""
    from transformers import CLIPTokenizer

    # How byte-level tokenizers write the 256 bytes: those with a visible sign as it, the other 68 from 256 on.
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: at for at, word in enumerate(words)}, merges=[], model_max_length=77)


def t5_tokenizer() -> Any:
    """T5's tokenizer with the printable ASCII characters as its only pieces."""
    from transformers import T5Tokenizer

    pieces = ["<pad>", "</s>", "<unk>", "▁", *(chr(code) for code in range(33, 127))]
    return T5Tokenizer(
        vocab=[(piece, 0.0 if at < 3 else -2.0) for at, piece in enumerate(pieces)], extra_ids=0, model_max_length=512
    )
