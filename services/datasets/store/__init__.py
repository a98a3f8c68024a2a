from services.datasets.store.conversations import SqlConversations
from services.datasets.store.exports import SqlExports
from services.datasets.store.items import SqlItems
from services.datasets.store.shared import SqlReleases
from services.datasets.store.training_files import SqlTrainingFiles

__all__ = ["SqlConversations", "SqlExports", "SqlItems", "SqlReleases", "SqlTrainingFiles"]
