"""Bounds that several sections share."""

from typing import Annotated

from pydantic import AfterValidator, Field

from totalml.url import checked

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Digest = Annotated[str, Field(pattern=r"^blake3:[0-9a-f]{64}$")]
Positive = Annotated[int, Field(gt=0, lt=2**53)]
Folder = Annotated[str, Field(min_length=1)]
Place = Annotated[str, Field(min_length=1), AfterValidator(checked)]  # a folder, or a URL such as s3://bucket/prefix
Share = Annotated[float, Field(ge=0, le=1)]
