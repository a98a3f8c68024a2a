"""What people and workers do with separations."""

from services.stems.use_cases.scratch import Scratch
from services.stems.use_cases.separations import Asked, Batch, Separations
from services.stems.use_cases.work import SeparationWork

__all__ = ["Asked", "Batch", "Scratch", "SeparationWork", "Separations"]
