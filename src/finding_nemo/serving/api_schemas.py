"""The JSON of the API that is not about reviews, as pydantic models with examples."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class Reply(BaseModel):
    """The base of every reply."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class ErrorWords(Reply):
    """What went wrong, for a person."""

    what: str = Field(examples=["The body is larger than 128 MB."])
    wanted: str = Field(examples=[""])
    do: str = Field(examples=["Send fewer files in a request, or smaller ones."])


class ErrorReply(Reply):
    """Every reply of 4xx and 5xx."""

    error: ErrorWords


class HealthReply(Reply):
    """Whether the server takes work."""

    status: Literal["ready", "stopping"]


class Guess(Reply):
    """One animal that may be in a frame."""

    id: int = Field(examples=[36])
    name: str = Field(examples=["crab"])
    supercategory: str = Field(examples=["crustacean"])
    probability: Probability = Field(examples=[0.83])
    evidence: str | None = Field(None, examples=["seen in 12 dives"])


class FrameSize(Reply):
    """What a frame is resized to for the network, in px."""

    width: int = Field(examples=[512])
    height: int = Field(examples=[512])


class CategoryRow(Reply):
    """One animal that the bundle knows."""

    id: int
    name: str
    supercategory: str
    n_images: int = Field(description="Training images that show it.")


class LimitsReply(Reply):
    """What a request may cost."""

    files: int = Field(examples=[64])
    bytes: int = Field(examples=[64_000_000], description="Of one image.")
    pixels: int = Field(examples=[100_000_000])


class ModelReply(Reply):
    """What is served."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    mode: Literal["serve", "review"]
    name: str
    recipe: str
    hash: str
    created: str | None
    n_train_dives: int | None
    frame: FrameSize | None
    categories: list[CategoryRow]
    can_predict: bool
    has_embeddings: bool
    has_maps: bool
    reviewer: str
    domain_warning: str | None = None
    notices: list[str] = []
    limits: LimitsReply
    version: str


class PredictResult(Reply):
    """What is said of one image, or why nothing is."""

    name: str = Field(examples=["frame-0001.png"])
    failure: str | None = Field(None, examples=[None])
    width: int | None = Field(None, examples=[1920])
    height: int | None = Field(None, examples=[1080])
    answer: str | None = Field(None, examples=["crab"])
    confidence: Literal["sure", "likely", "guess"] | None = None
    why: str | None = None
    guesses: list[Guess] = []
    unusual: Probability | None = Field(
        None, description="Share of the frames of other dives that are less unusual."
    )
    unusual_words: str | None = Field(None, examples=["as usual"])
    present: list[int] = Field([], description="Ids that are named at the wanted precision.")


class PredictReply(Reply):
    """One result an image, in the order of the parts."""

    results: list[PredictResult]


class FrameRow(Reply):
    """One frame of the collection, as lists show it."""

    row: int
    id: str
    dive: str | None
    answer: str | None
    confidence: Literal["sure", "likely", "guess"] | None
    probability: Probability | None
    unusual: Probability | None
    state: Literal["unreviewed", "reviewed", "failed"]
    method: Literal["machine", "human", "propagated"]
    failure: str | None


class FramesReply(Reply):
    """Frames that were added."""

    frames: list[FrameRow]


class SessionRequest(BaseModel):
    """The token, for the page's cookie."""

    token: str = Field("", max_length=1000)
