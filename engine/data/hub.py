"""Data sets on the Hugging Face Hub, or on the mirror that HF_ENDPOINT names: streamed, capped, and never by running their code.

Knows configurations, splits and column types of hub data sets, and says plainly when the hub cannot be asked. Does not know
roles. A token for private sets comes from HF_TOKEN or from the caller, and is kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.data.assemble import make_table, no_rows
from engine.data.features import class_names, named, plain
from engine.data.limits import Limits
from engine.data.table import Source, Table
from engine.errors import ConfigProblem, FileProblem
from engine.settings import offline
from engine.text import Text

# Owner and name. A name alone could be one of the datasets library's own readers ("csv"), which would read local files.
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,95}")
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "validation_matched"),
    "test": ("test", "testing", "test_matched"),
}
_MEDIA = ("Image", "Audio", "Video", "Pdf", "Nifti", "Array2D", "Array3D", "Array4D", "Array5D")
_REPORT_EVERY = 500  # rows between two reports of progress

Token = str | bool | None


def list_configs(dataset: str, token: Token = None) -> list[str]:
    """The configurations of a hub data set. Raises FileProblem where it cannot be asked or must not be read."""
    _check_id(dataset)
    import datasets

    with _explained(dataset):
        return list(datasets.get_dataset_config_names(dataset, token=token))


def list_splits(dataset: str, config: str, token: Token = None) -> list[str]:
    """The splits of one configuration. Raises FileProblem as `list_configs` does."""
    _check_id(dataset)
    import datasets

    with _explained(dataset):
        return list(datasets.get_dataset_split_names(dataset, config or None, token=token))


def read_hub(
    dataset: str,
    config: str,
    limits: Limits,
    *,
    splits: dict[str, str] | None = None,
    progress: Callable[[Text, float], None] | None = None,
    token: Token = None,
) -> dict[str, Table]:
    """The tables of a hub data set: "train" and, where it has them, "validation" and "test".

    `splits` maps those names to the data set's own; it is found by the usual names when not given. Each split is streamed until
    it ends or a limit is reached, which the table's notes then say. A split whose labels are withheld, as in public contests, is
    left out. Raises ConfigProblem where a configuration has to be chosen, FileProblem for everything else.
    """
    import datasets

    configs = list_configs(dataset, token)
    config = _chosen(dataset, config, configs)
    available = list_splits(dataset, config, token)
    chosen = splits or _by_name(available)
    tables: dict[str, Table] = {}
    withheld: list[Text] = []
    for place, (name, own) in enumerate(chosen.items()):
        if own not in available:
            raise _no_split(dataset, own, available)

        def report(share: float, place: int = place, own: str = own) -> None:
            if progress is not None:
                progress(Text(f"Reading {own} from the hub", f"正在从 Hub 读取 {own}"), (place + share) / len(chosen))

        with _explained(dataset):
            stream = datasets.load_dataset(dataset, config or None, split=own, streaming=True, token=token)
            table = _read(stream, Source(name=f"{dataset}:{own}", format="hub"), limits, report)
        if name != "train" and _labels_withheld(stream, table):
            withheld.append(
                Text(
                    f"The labels of {own!r} are withheld on the hub, so it is not used.",
                    f"Hub 上 {own!r} 的标签未公开，因此不使用。",
                )
            )
            continue
        tables[name] = table
    if withheld:
        source = tables["train"].source
        tables["train"].source = Source(
            name=source.name, format=source.format, sha256=source.sha256, notes=(*source.notes, *withheld)
        )
    return tables


def _chosen(dataset: str, config: str, configs: list[str]) -> str:
    if config in configs or (not config and not configs):
        return config
    if not config and len(configs) == 1:
        return configs[0]
    if not config and "default" in configs:
        return "default"
    listed = ", ".join(configs[:30])
    if config:
        message = Text(
            f"The data set {dataset} has no configuration {config!r}. It has: {listed}.",
            f"数据集 {dataset} 没有名为 {config!r} 的子集。可选：{listed}。",
        )
    else:
        message = Text(
            f"The data set {dataset} has several configurations: {listed}.",
            f"数据集 {dataset} 有多个子集：{listed}。",
        )
    raise ConfigProblem(
        "choose_hub_config",
        message,
        Text("Choose one of them.", "请选择其中一个。"),
        dataset=dataset,
        configs=configs,
    )


def _by_name(available: list[str]) -> dict[str, str]:
    """The data set's names for train, validation and test; its first split trains where none is called train."""
    found = {name: own for name, usual in _SPLITS.items() if (own := next((u for u in usual if u in available), None))}
    if "train" not in found and available:
        rest = [own for own in available if own not in found.values()]
        found = {"train": rest[0], **found} if rest else {"train": available[0]}
    return found


def _read(stream: Any, source: Source, limits: Limits, report: Callable[[float], None]) -> Table:
    features = stream.features.to_dict() if stream.features is not None else {}
    media = [name for name, feature in features.items() if isinstance(feature, dict) and feature.get("_type") in _MEDIA]
    if media:
        stream = stream.remove_columns(media)
    classes = {name: names for name, feature in features.items() if (names := class_names(feature))}
    columns: dict[str, list[Any]] = {}
    size = count = 0
    ended = True
    for count, record in enumerate(stream, start=1):
        if count > limits.max_rows or size > limits.max_unpacked_bytes:
            ended, count = False, count - 1
            break
        for name, value in record.items():
            cell = plain(value)
            if name in classes:
                cell = named(cell, classes[name])
            size += len(cell) if isinstance(cell, str) else 8
            columns.setdefault(name, [None] * (count - 1)).append(cell)
        for cells in columns.values():
            if len(cells) < count:
                cells.append(None)
        if count % _REPORT_EVERY == 0:
            report(min(1.0, count / limits.max_rows))
    if not count:
        raise no_rows(source.name)
    notes = []
    if not ended:
        notes.append(
            Text(
                f"Only the first {count:,} rows were read, the most that are read here.",
                f"只读取了前 {count:,} 行，这是此处的读取上限。",
            )
        )
    if media:
        notes.append(
            Text(
                f"Columns that are no text were left out: {', '.join(media)}.",
                f"已略过非文本的列：{'、'.join(media)}。",
            )
        )
    return make_table(list(columns), list(columns.values()), list(range(1, count + 1)), source, limits, notes)


def _labels_withheld(stream: Any, table: Table) -> bool:
    """Whether a column of class labels holds none: contests publish -1 in their test sets."""
    features = stream.features.to_dict() if stream.features is not None else {}
    labelled = [name for name, feature in features.items() if class_names(feature) and name in table.columns]
    return any(table.frame[name].isna().all() for name in labelled)


def _check_id(dataset: str) -> None:
    if not _ID.fullmatch(dataset) or ".." in dataset or "--" in dataset:
        raise FileProblem(
            "bad_hub_id",
            Text(f"{dataset!r} is no id of a hub data set.", f"{dataset!r} 不是合法的 Hub 数据集 ID。"),
            Text("An id looks like owner/name.", "ID 的形式为 owner/name。"),
            file=dataset,
        )
    if Path(dataset).exists():
        # The datasets library would read the folder instead of the hub.
        raise FileProblem(
            "hub_id_is_path",
            Text(
                f"{dataset!r} is a file or folder here, so the hub would not be asked.",
                f"{dataset!r} 是本机的文件或文件夹，不会访问 Hub。",
            ),
            Text("Give it as the training file instead.", "请改用训练文件一栏提供。"),
            file=dataset,
        )
    if offline():
        raise _unreachable(dataset, Text("HF_HUB_OFFLINE is set", "已设置 HF_HUB_OFFLINE"), code="offline")


@contextmanager
def _explained(dataset: str) -> Iterator[None]:
    """Turn what the hub's libraries raise into problems that say what to do."""
    import httpx
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    try:
        yield
    except FileProblem:
        raise
    except GatedRepoError as error:
        raise _not_allowed(dataset) from error
    except (DatasetNotFoundError, RepositoryNotFoundError) as error:
        if "gated" in str(error).lower():
            raise _not_allowed(dataset) from error
        raise FileProblem(
            "hub_dataset_not_found",
            Text(
                f"The hub has no data set {dataset}, or it is private.", f"Hub 上没有数据集 {dataset}，或它是私有的。"
            ),
            Text("Check the id; for a private set, set HF_TOKEN.", "请检查 ID；私有数据集需要设置 HF_TOKEN。"),
            file=dataset,
        ) from error
    except OfflineModeIsEnabled as error:
        raise _unreachable(dataset, Text("offline mode is on", "已开启离线模式"), code="offline") from error
    except HfHubHTTPError as error:
        raise _unreachable(dataset, Text(_first_line(error), _first_line(error))) from error
    except (httpx.HTTPError, ConnectionError, TimeoutError) as error:
        raise _unreachable(dataset, Text("there is no connection to it", "无法连接")) from error
    except RuntimeError as error:
        if "scripts are no longer supported" in str(error):
            raise FileProblem(
                "hub_script",
                Text(
                    f"The data set {dataset} is made by a script of its own, and other people's code is never run here.",
                    f"数据集 {dataset} 需要运行其自带脚本，而本应用从不运行他人的代码。",
                ),
                Text(
                    "Choose a copy in Parquet, CSV or JSON, or download the table and upload it.",
                    "请选择 Parquet、CSV 或 JSON 版本，或下载数据表后上传。",
                ),
                file=dataset,
            ) from error
        raise _unreadable(dataset, error) from error
    except (DatasetsError, OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise _unreadable(dataset, error) from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _not_allowed(dataset: str) -> FileProblem:
    return FileProblem(
        "hub_dataset_gated",
        Text(f"The data set {dataset} is only for people with access.", f"数据集 {dataset} 需要获得访问权限。"),
        Text("Ask for access on its page, then set HF_TOKEN.", "请在其页面申请访问，然后设置 HF_TOKEN。"),
        file=dataset,
    )


def _unreachable(dataset: str, reason: Text, code: str = "hub_unreachable") -> FileProblem:
    return FileProblem(
        code,
        Text(
            f"The hub cannot be asked for {dataset}: {reason.en}.",
            f"无法从 Hub 获取 {dataset}：{reason.zh}。",
        ),
        Text(
            "Use an example or a file of your own, or name a mirror with HF_ENDPOINT.",
            "请使用示例数据或自己的文件，也可用 HF_ENDPOINT 指定镜像。",
        ),
        file=dataset,
    )


def _unreadable(dataset: str, error: BaseException) -> FileProblem:
    return FileProblem(
        "hub_unreadable",
        Text(
            f"The data set {dataset} cannot be read: {_first_line(error)}",
            f"无法读取数据集 {dataset}：{_first_line(error)}",
        ),
        Text("Download its files and upload them.", "请下载其中的文件后上传。"),
        file=dataset,
    )


def _no_split(dataset: str, split: str, available: list[str]) -> FileProblem:
    return FileProblem(
        "no_such_split",
        Text(
            f"The data set {dataset} has no split {split!r}. It has: {', '.join(available)}.",
            f"数据集 {dataset} 没有名为 {split!r} 的划分。可选：{'、'.join(available)}。",
        ),
        file=dataset,
        split=split,
        splits=available,
    )
