"""Fetches models into a folder: a file whose hash is known, unpacked if it is an archive."""

import hashlib
import shutil
import sys
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

url, sha256, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
name = PurePosixPath(urlsplit(url).path).name
part = folder / f".{name}"
digest = hashlib.sha256()
with urllib.request.urlopen(url, timeout=60) as answer, part.open("wb") as file:
    while chunk := answer.read(1 << 20):
        digest.update(chunk)
        file.write(chunk)
if digest.hexdigest() != sha256:
    sys.exit(f"{url} has SHA-256 {digest.hexdigest()}, not {sha256}")
if name.endswith((".tar.gz", ".tgz", ".tar", ".zip")):
    kind = "zip" if name.endswith(".zip") else "tar" if name.endswith(".tar") else "gztar"
    shutil.unpack_archive(part, folder, kind)
    part.unlink()
else:
    part.rename(folder / name)
print(f"{name} is in {folder}")
