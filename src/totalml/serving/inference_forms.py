"""The bodies of the Open Inference Protocol v2, as they are read and as `/openapi.json` tells them.

Source: github.com/kserve/open-inference-protocol, and its extension for binary tensors.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Datatype = Literal["BYTES", "FP64", "BOOL"]
Length = Annotated[int, Field(ge=0, lt=2**63)]
Shape = Annotated[list[Length], Field(min_length=1, max_length=1)]
Element = str | float | bool | None


class _Form(BaseModel):
    """Nothing is cast, and what the protocol does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Parameters(BaseModel):
    """Those that are not known here are left alone, as the protocol has it."""

    model_config = ConfigDict(extra="allow", strict=True)


class InputParameters(_Parameters):
    binary_data_size: Length | None = Field(default=None, description="of the tensor, which stands after the JSON")


class OutputParameters(_Parameters):
    binary_data: bool | None = Field(default=None, description="whether the tensor is to stand after the JSON")


class RequestParameters(_Parameters):
    binary_data_output: bool | None = Field(default=None, description="`binary_data` of outputs that do not say it")


class InputTensor(_Form):
    """A value for each sample.

    In JSON, BYTES are text; for the input `picture` that is base64 of the file. null: a value that is missing.
    """

    name: str
    shape: Shape
    datatype: Literal["BYTES", "FP64"]
    parameters: InputParameters | None = None
    data: list[Element] | None = Field(default=None, fail_fast=True)  # or each value might be a mistake to tell

    @property
    def size(self) -> int | None:
        """In bytes, of a tensor that stands after the JSON."""
        return self.parameters.binary_data_size if self.parameters else None


class RequestedOutput(_Form):
    name: str
    parameters: OutputParameters | None = None


class InferenceRequest(_Form):
    id: str | None = None
    parameters: RequestParameters | None = None
    inputs: list[InputTensor] = Field(min_length=1, fail_fast=True)
    outputs: list[RequestedOutput] | None = Field(default=None, fail_fast=True, description="none: all of them")


class OutputTensor(BaseModel):
    """A value for each sample. BYTES that are no text are JSON, such as the labels of a sample: `["a", "b"]`."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: InputParameters = InputParameters()
    data: list[Element] = []


class InferenceAnswer(BaseModel):
    model_name: str
    model_version: str
    id: str = ""
    outputs: list[OutputTensor]


class TensorMetadata(BaseModel):
    name: str
    datatype: Datatype
    shape: list[Literal[-1]]


class ModelMetadata(BaseModel):
    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    name: str
    version: str
    extensions: list[str]


class ModelReady(BaseModel):
    name: str
    ready: Literal[True]


class ServerReady(BaseModel):
    ready: Literal[True]


class ServerLive(BaseModel):
    live: Literal[True]
