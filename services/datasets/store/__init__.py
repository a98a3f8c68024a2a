from services.datasets.store import caption_run_tables, rendered_tables, snapshot_tables, training_tables  # noqa: F401
from services.datasets.store.caption_edits import SqlCaptionEdits
from services.datasets.store.caption_runs import SqlCaptionRuns
from services.datasets.store.conversations import SqlConversations
from services.datasets.store.exports import SqlExports
from services.datasets.store.items import SqlItems
from services.datasets.store.leftovers import SqlLeftovers
from services.datasets.store.provider_runs import SqlWebhookEvents
from services.datasets.store.rendered import SqlRendered
from services.datasets.store.shared import SqlReleases
from services.datasets.store.snapshots import SqlSnapshots
from services.datasets.store.training_files import SqlTrainingFiles
from services.datasets.store.trainings import SqlGenerations, SqlTrainings

__all__ = [
    "SqlCaptionEdits",
    "SqlCaptionRuns",
    "SqlConversations",
    "SqlExports",
    "SqlGenerations",
    "SqlItems",
    "SqlLeftovers",
    "SqlReleases",
    "SqlRendered",
    "SqlSnapshots",
    "SqlTrainingFiles",
    "SqlTrainings",
    "SqlWebhookEvents",
]
