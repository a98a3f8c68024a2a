from chassis.objects.parts import ObjectRange, Part
from chassis.objects.port import ObjectInfo, ObjectNotFound, ObjectStore, ObjectWriter
from chassis.objects.urls import open_store

__all__ = ["ObjectInfo", "ObjectNotFound", "ObjectRange", "ObjectStore", "ObjectWriter", "Part", "open_store"]
