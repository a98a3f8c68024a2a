from urllib.parse import parse_qs, unquote, urlsplit

from chassis.objects.port import ObjectStore


def open_store(url: str, *, public_endpoint: str | None = None) -> ObjectStore:
    """The object store behind a URL.

    Args:
        url: `file:///folder`, or `s3://bucket/prefix?endpoint=http://…&region=…&create=1`; S3 takes its
            credentials from the AWS variables, and `create=1` makes a missing bucket.
        public_endpoint: The S3 endpoint that signed links name; the store's own when None.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        from chassis.objects.disk import DiskStore

        return DiskStore(unquote(parts.path))
    if parts.scheme == "s3" and parts.netloc:
        from chassis.objects.s3 import S3Store

        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return S3Store(
            parts.netloc,
            parts.path.strip("/"),
            endpoint=options.get("endpoint"),
            region=options.get("region", "us-east-1"),
            public_endpoint=public_endpoint or options.get("public_endpoint"),
            create=options.get("create") == "1",
        )
    raise ValueError(f"object store URL {parts.scheme}://{parts.netloc}: expected file:///folder or s3://bucket/prefix")
