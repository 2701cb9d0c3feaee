"""Tables of the plugin, written by `tom_alerce.store` and, for requests, `tom_alerce.requests` alone (docs/decisions/002-storage.md)."""

from tom_alerce.models.classification import Classification, Drift, Explanation
from tom_alerce.models.context import HostChoice, SkyCell, TnsName, TnsObject
from tom_alerce.models.events import EventCandidate, EventVersion, SkyEvent
from tom_alerce.models.filters import FilterMatch, FilterVersion, SavedFilter, Traits
from tom_alerce.models.followup import Rank, Ranking
from tom_alerce.models.guards import Override
from tom_alerce.models.health import DiskUse, Incident, Run, StreamPartition, StreamWorker
from tom_alerce.models.intake import AwaitedObject, DeadLetter, PassedAlert, Watermark, WithdrawnMeasurement
from tom_alerce.models.keys import FacilityKey
from tom_alerce.models.looks import Seen, View
from tom_alerce.models.marks import Mark
from tom_alerce.models.notify import Channel, Delivery, Event, Rule
from tom_alerce.models.outlooks import Outlook
from tom_alerce.models.people import Attachment, Label, Mention, Tag
from tom_alerce.models.pollers import PollTask
from tom_alerce.models.profiles import Profile
from tom_alerce.models.requests import FollowupRequest, RequestEvent
from tom_alerce.models.scans import Scan
from tom_alerce.models.series import Series
from tom_alerce.models.sky import Detection, MatchCandidate, SkyObject, Stamps, SurveyObject
from tom_alerce.models.triggers import Halt, Trigger, TriggerEntry
from tom_alerce.models.watch import Watch, WatchEntry, WatchMatch

__all__ = [
    "Attachment",
    "AwaitedObject",
    "Channel",
    "Classification",
    "DeadLetter",
    "Delivery",
    "Detection",
    "DiskUse",
    "Drift",
    "Event",
    "EventCandidate",
    "EventVersion",
    "Explanation",
    "FacilityKey",
    "FilterMatch",
    "FilterVersion",
    "FollowupRequest",
    "Halt",
    "HostChoice",
    "Incident",
    "Label",
    "Mark",
    "MatchCandidate",
    "Mention",
    "Outlook",
    "Override",
    "PassedAlert",
    "PollTask",
    "Profile",
    "Rank",
    "Ranking",
    "RequestEvent",
    "Rule",
    "Run",
    "SavedFilter",
    "Scan",
    "Seen",
    "Series",
    "SkyCell",
    "SkyEvent",
    "SkyObject",
    "Stamps",
    "StreamPartition",
    "StreamWorker",
    "SurveyObject",
    "Tag",
    "TnsName",
    "TnsObject",
    "Traits",
    "Trigger",
    "TriggerEntry",
    "View",
    "Watch",
    "WatchEntry",
    "WatchMatch",
    "Watermark",
    "WithdrawnMeasurement",
]
