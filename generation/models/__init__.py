from generation.models.critiques import Claim, Critique
from generation.models.images import Image, Method, MetricScore
from generation.models.imports import ImportRun
from generation.models.prompts import Prompt, PromptSet, PromptVariant

__all__ = ["Claim", "Critique", "Image", "ImportRun", "Method", "MetricScore", "Prompt", "PromptSet", "PromptVariant"]
