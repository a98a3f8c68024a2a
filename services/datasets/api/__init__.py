from services.datasets.api.audio import DatasetsServicer
from services.datasets.api.caption_runs import ManyItems
from services.datasets.api.operations import operation_sources
from services.datasets.api.rules import MESSAGE_BYTES, METHOD_RULES
from services.datasets.api.text import TrainingFilesServicer

__all__ = [
    "MESSAGE_BYTES",
    "METHOD_RULES",
    "DatasetsServicer",
    "ManyItems",
    "TrainingFilesServicer",
    "operation_sources",
]
