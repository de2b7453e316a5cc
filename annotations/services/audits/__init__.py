"""The audit's writes: planning it, assigning work, taking answers, settling disagreements, matching errors."""

from annotations.services.audits.plans import make_plan
from annotations.services.audits.simulated import (
    SimulatedAudit,
    SimulatedGroup,
    SimulatedListing,
    SimulatedVerdict,
    record_simulated_adjudications,
    record_simulated_audits,
    record_simulated_groups,
)

__all__ = [
    "SimulatedAudit",
    "SimulatedGroup",
    "SimulatedListing",
    "SimulatedVerdict",
    "make_plan",
    "record_simulated_adjudications",
    "record_simulated_audits",
    "record_simulated_groups",
]
