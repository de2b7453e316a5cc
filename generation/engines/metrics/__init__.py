"""Automatic metrics: CLIPScore, ImageReward, BLIP-VQA.

Each metric is a module; `options` and `image_input` are what they share.
"""
