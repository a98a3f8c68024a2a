from chassis.objects.port import ObjectInfo, ObjectNotFound, ObjectRange, ObjectStore, ObjectWriter, Part
from chassis.objects.urls import open_store

__all__ = ["ObjectInfo", "ObjectNotFound", "ObjectRange", "ObjectStore", "ObjectWriter", "Part", "open_store"]
