"""What a server allows and how it works: plain values that the command line fills in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["Limits", "LoadOptions", "ModelFiles", "ServerSettings"]


@dataclass(frozen=True)
class Limits:
    """What requests may ask for; what exceeds a limit is refused with a status and a sentence.

    Attributes:
        characters: of one text.
        texts: entries of a list of texts.
        alternatives: further translations of a text.
        body_bytes: of a request; it is not read any further.
        queue_characters: of all requests that wait; more are refused with 503.
        seconds: from the arrival of a request to its reply; then 503.
        reading_seconds: for the head and for the body of a request to arrive.
        connections: open at the same time.
        rate: requests of a client without a key in a minute; 0 is no limit.
    """

    characters: int = 10_000
    texts: int = 1_000
    alternatives: int = 20
    body_bytes: int = 1_000_000
    queue_characters: int = 1_000_000
    seconds: float = 60.0
    reading_seconds: float = 20.0
    connections: int = 1_000
    rate: int = 0


class ModelFiles(NamedTuple):
    """What a worker loads.

    Attributes:
        name: of the model.
        source: the model folder.
        prepared: what it was made into for all workers; the same folder if there was nothing to prepare.
        tag: in front of every line.
    """

    name: str
    source: Path
    prepared: Path
    tag: str = ""


@dataclass(frozen=True)
class LoadOptions:
    """How each worker loads the models.

    Attributes:
        device: see `Translator.load`.
        precision: see `Translator.load`.
        plugins: files that register cells, attentions or encoders.
        trust_plugins: whether copies of plugins in the model folders are run.
        split_sentences: translate the sentences of a line separately.
        threads: of each worker.
    """

    device: str = "auto"
    precision: str = "auto"
    plugins: tuple[Path, ...] = ()
    trust_plugins: bool = False
    split_sentences: bool = True
    threads: int = 1


@dataclass(frozen=True)
class ServerSettings:
    """Settings of a server.

    Attributes:
        host: address to listen at.
        port: 0 chooses a free one.
        workers: processes that translate.
        batch_size: most lines that a worker translates at once.
        limits: of requests.
        loading: of models.
        keys: file of API keys; None for none.
        proxies: addresses of proxies whose header X-Forwarded-For names the client.
        access_log: file of the access log; "-" is stdout, and None is none.
        log_texts: whether the access log has the texts.
        reload_seconds: between two looks at the model folders; 0 is never.
        page: whether there is a page at "/".
    """

    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    batch_size: int = 64
    limits: Limits = Limits()
    loading: LoadOptions = LoadOptions()
    keys: Path | None = None
    proxies: tuple[str, ...] = ()
    access_log: str | None = "-"
    log_texts: bool = False
    reload_seconds: float = 2.0
    page: bool = True
