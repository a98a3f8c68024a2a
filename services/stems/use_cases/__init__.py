"""What people and workers do with separations."""

from services.stems.use_cases.separations import Separations
from services.stems.use_cases.work import SeparationWork

__all__ = ["SeparationWork", "Separations"]
