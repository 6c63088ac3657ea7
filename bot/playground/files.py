"""The files of the local Telegram: what was uploaded, under ids of its own kind, and what it refuses as a photo."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from typing import Any

from bot.playground.params import ApiError, as_json

MAX_PHOTO_BYTES, MAX_PHOTO_SIDES, MAX_PHOTO_RATIO = 10 * 1024**2, 10_000, 20
MAX_DOWNLOAD_BYTES = 20 * 1024**2
_IMAGES = {b"\x89PNG": "image/png", b"GIF8": "image/gif", b"\xff\xd8": "image/jpeg"}
#: JPEG's markers of a frame: what carries the picture's size.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart call."""

    name: str
    mime: str
    content: bytes

    def shown(self) -> dict[str, Any]:
        """For the log of calls, which holds no content."""
        return {"file_name": self.name, "mime_type": self.mime, "file_size": len(self.content)}


@dataclass(frozen=True, slots=True)
class File:
    """What Telegram keeps of an upload; `kind` is "photo" or "document"."""

    id: str
    kind: str
    name: str
    mime: str
    content: bytes
    path: str
    size: tuple[int, int] = (0, 0)  #: width and height of a photo

    def shown(self) -> dict[str, Any]:
        """What every object of a file begins with."""
        return {"file_id": self.id, "file_unique_id": self.id[-12:], "file_size": len(self.content)}

    def as_content(self) -> dict[str, Any]:
        """As in a message. Telegram adds smaller sizes of a photo; there is one here."""
        if self.kind == "photo":
            width, height = self.size
            return {"photo": [{**self.shown(), "width": width, "height": height}]}
        return {"document": {**self.shown(), "file_name": self.name, "mime_type": self.mime}}


class Files:
    """Files by id and by path."""

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._paths: dict[str, str] = {}

    def __iter__(self) -> Any:
        return iter(self._files.values())

    def keep(self, kind: str, upload: Upload) -> File:
        """Take an upload as a photo or document. Raises ApiError."""
        if not upload.content:
            raise ApiError(400, "Bad Request: file must be non-empty")
        size = _photo_size(upload.content) if kind == "photo" else (0, 0)
        suffix = upload.name.rpartition(".")[2][:8] if "." in upload.name else "bin"
        path = f"{kind}s/file_{len(self._files)}.{suffix}"
        return self.add(File(secrets.token_urlsafe(36), kind, upload.name, upload.mime, upload.content, path, size))

    def add(self, file: File) -> File:
        """Hold a file as it is."""
        self._files[file.id] = file
        self._paths[file.path] = file.id
        return file

    def get(self, file_id: str) -> File | None:
        """The file of that id."""
        return self._files.get(file_id)

    def image(self, file_id: str) -> tuple[bytes, str] | None:
        """A photo and what a browser may take it for."""
        file = self.get(file_id)
        if file is None or file.kind != "photo":
            return None
        return file.content, next(mime for head, mime in _IMAGES.items() if file.content.startswith(head))

    def at(self, path: str) -> File | None:
        """The file at a `file_path`."""
        return self._files.get(self._paths.get(path, ""))

    def asked(self, kind: str, params: dict[str, Any], name: str) -> File:
        """The file that a parameter uploads, attaches or names by its id. Raises ApiError."""
        given = params.get(name)
        if isinstance(given, str) and given.startswith("attach://"):
            given = params.get(given.removeprefix("attach://"))
        if isinstance(given, Upload):
            return self.keep(kind, given)
        if not isinstance(given, str) or not given:
            raise ApiError(400, f"Bad Request: there is no {kind} in the request")
        if given.startswith(("http://", "https://")):
            # Telegram would fetch it; nothing here goes out to other sites.
            raise ApiError(400, "Bad Request: failed to get HTTP URL content")
        file = self.get(given)
        if file is None:
            raise ApiError(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if file.kind != kind:
            raise ApiError(400, f"Bad Request: can't use file of type {file.kind.title()} as {kind.title()}")
        return file

    def media(self, params: dict[str, Any]) -> tuple[File, dict[str, Any]]:
        """(file, InputMedia) of a call that changes a message's media. Raises ApiError."""
        media = as_json(params, "media")
        if not isinstance(media, dict):
            raise ApiError(400, "Bad Request: can't parse InputMedia: expected an Object")
        kind = media.get("type")
        if kind not in {"photo", "document"}:
            raise ApiError(400, "Bad Request: can't parse InputMedia: only photos and documents are known here")
        if not media.get("media"):
            raise ApiError(400, "Bad Request: can't parse InputMedia: media not found")
        return self.asked(kind, {**params, "media": media["media"]}, "media"), media


def _photo_size(content: bytes) -> tuple[int, int]:
    if len(content) > MAX_PHOTO_BYTES:
        said = f"file of size {len(content)} bytes is too big for a photo; the maximum size is {MAX_PHOTO_BYTES} bytes"
        raise ApiError(400, f"Bad Request: {said}")
    try:
        width, height = _dimensions(content)
    except (struct.error, IndexError):
        raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED") from None
    long, short = max(width, height), min(width, height)
    if not short or width + height > MAX_PHOTO_SIDES or long > MAX_PHOTO_RATIO * short:
        raise ApiError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    return width, height


def _dimensions(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, GIF or JPEG, read from its head. Raises struct.error, IndexError or ApiError."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    if content.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", content, 6)
        return width, height
    if content.startswith(b"\xff\xd8"):
        at = 2
        while content[at + 1] not in _FRAMES:
            at += 2 + struct.unpack_from(">H", content, at + 2)[0]
        height, width = struct.unpack_from(">HH", content, at + 5)
        return width, height
    raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED")
