from generation.models.activity import Activity, OnlyAdded
from generation.models.critiques import Claim, Critique
from generation.models.images import Image, Latents, Method, MetricScore, Reference
from generation.models.imports import ImportRun
from generation.models.prompts import Decomposition, Prompt, PromptSet, PromptVariant
from generation.models.reproductions import Reproduction
from generation.models.runs import ModelCall, Run, Step, StepNeed

__all__ = [
    "Activity",
    "Claim",
    "Critique",
    "Decomposition",
    "Image",
    "ImportRun",
    "Latents",
    "Method",
    "MetricScore",
    "ModelCall",
    "OnlyAdded",
    "Prompt",
    "PromptSet",
    "PromptVariant",
    "Reference",
    "Reproduction",
    "Run",
    "Step",
    "StepNeed",
]
