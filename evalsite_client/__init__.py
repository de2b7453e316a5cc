"""Ask people about a text-to-image model's images from a notebook or a training loop, through an evalsite.

`Evalsite` blocks, `AsyncEvalsite` awaits; both push images, make studies and fetch answers. They raise `Problem`
when the site refuses a call, and `webhooks.verified` checks the messages that it sends.
"""

from evalsite_client.asynchronous import AsyncEvalsite, AsyncStudy
from evalsite_client.client import Evalsite, Study
from evalsite_client.flows import Added, Pushed, State
from evalsite_client.pictures import Picture
from evalsite_client.problems import Problem

__all__ = ["Added", "AsyncEvalsite", "AsyncStudy", "Evalsite", "Picture", "Problem", "Pushed", "State", "Study"]
