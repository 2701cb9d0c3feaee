"""Tables of the plugin, written by `tom_alerce.store` and, for requests, `tom_alerce.requests` alone (docs/decisions/002-storage.md)."""

from tom_alerce.models.classification import Classification, Drift, Explanation
from tom_alerce.models.context import HostChoice, SkyCell, TnsName, TnsObject
from tom_alerce.models.followup import Rank, Ranking
from tom_alerce.models.guards import Override
from tom_alerce.models.intake import AwaitedObject, DeadLetter, PassedAlert, Watermark, WithdrawnMeasurement
from tom_alerce.models.marks import Mark
from tom_alerce.models.outlooks import Outlook
from tom_alerce.models.profiles import Profile
from tom_alerce.models.requests import FollowupRequest, RequestEvent
from tom_alerce.models.sky import Detection, MatchCandidate, SkyObject, Stamps, SurveyObject
from tom_alerce.models.triggers import Halt, Trigger, TriggerEntry

__all__ = [
    "AwaitedObject",
    "Classification",
    "DeadLetter",
    "Detection",
    "Drift",
    "Explanation",
    "FollowupRequest",
    "Halt",
    "HostChoice",
    "Mark",
    "MatchCandidate",
    "Outlook",
    "Override",
    "PassedAlert",
    "Profile",
    "Rank",
    "Ranking",
    "RequestEvent",
    "SkyCell",
    "SkyObject",
    "Stamps",
    "SurveyObject",
    "TnsName",
    "TnsObject",
    "Trigger",
    "TriggerEntry",
    "Watermark",
    "WithdrawnMeasurement",
]
