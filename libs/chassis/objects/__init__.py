from chassis.objects.port import ObjectInfo, ObjectNotFound, ObjectStore, ObjectWriter
from chassis.objects.urls import open_store

__all__ = ["ObjectInfo", "ObjectNotFound", "ObjectStore", "ObjectWriter", "open_store"]
