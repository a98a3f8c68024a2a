from services.datasets.api.audio import DatasetsServicer
from services.datasets.api.caption_runs import ManyItems
from services.datasets.api.operations import operation_sources
from services.datasets.api.rules import MESSAGE_BYTES, METHOD_RULES
from services.datasets.api.text import TrainingFilesServicer
from services.datasets.api.trainings import TrainingsServicer, training_sources

__all__ = [
    "MESSAGE_BYTES",
    "METHOD_RULES",
    "DatasetsServicer",
    "ManyItems",
    "TrainingFilesServicer",
    "TrainingsServicer",
    "operation_sources",
    "training_sources",
]
