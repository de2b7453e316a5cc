"""Stable Diffusion 3 with refinement on its latents.

Read `engine` first, then `requests` and `denoising`; `loading` finds and quantises the weights.
"""
