from services.datasets.replicate.client import Replicate

__all__ = ["Replicate"]
