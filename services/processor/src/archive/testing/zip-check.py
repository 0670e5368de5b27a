"""Prints `name TAB size TAB sha256` of each entry of the ZIP files given, after a line with the file's path."""

import hashlib
import sys
import zipfile

for path in sys.argv[1:]:
    print("#", path, flush=True)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            digest, size = hashlib.sha256(), 0
            # Reads to the end, where the module checks the CRC.
            with archive.open(entry) as stream:
                while piece := stream.read(1 << 20):
                    digest.update(piece)
                    size += len(piece)
            sys.stdout.buffer.write(f"{entry.filename}\t{size}\t{digest.hexdigest()}\n".encode())
            sys.stdout.flush()
