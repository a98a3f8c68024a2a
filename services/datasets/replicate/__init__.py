from services.datasets.replicate.client import Replicate, is_loopback

__all__ = ["Replicate", "is_loopback"]
