"""Where the table of a run comes from, and how it is read and split."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core.options import option
from engine.core.text import Text


@dataclass
class DataConfig:
    """Where the table comes from and how it is read and split."""

    example: str = option(
        "",
        Text("Example", "示例数据"),
        Text("One of the embedded data sets, instead of files.", "内置数据集，可代替文件。"),
    )
    train: str = option("", Text("Training file", "训练文件"), Text("The table to train on.", "用于训练的数据表。"))
    validation: str = option(
        "",
        Text("Validation file", "验证文件"),
        Text(
            "Chooses the best checkpoint. Taken from the training rows when not given.",
            "用于挑选最佳检查点；不提供时从训练数据中划分。",
        ),
    )
    test: str = option(
        "",
        Text("Test file", "测试文件"),
        Text(
            "Read once, at the end. Taken from the training rows when not given.",
            "只在最后评估时使用一次；不提供时从训练数据中划分。",
        ),
    )
    hub: str = option(
        "",
        Text("Hub data set", "Hub 数据集"),
        Text(
            "A data set id on the Hugging Face Hub, instead of files.", "Hugging Face Hub 上的数据集 ID，可代替文件。"
        ),
    )
    hub_config: str = option(
        "",
        Text("Hub configuration", "Hub 子集"),
        Text("The configuration of the hub data set.", "Hub 数据集的配置（子集）名称。"),
    )
    hub_revision: str = option(
        "",
        Text("Hub revision", "Hub 版本"),
        Text(
            "A branch, tag or commit of the data set; main when not given.", "数据集的分支、标签或提交；不填则为 main。"
        ),
        advanced=True,
    )
    hub_train: str = option(
        "",
        Text("Training split", "训练划分"),
        Text(
            "The hub's split to train on; found by its usual name when not given.",
            "用于训练的 Hub 划分；不填则按常用名称查找。",
        ),
    )
    hub_validation: str = option(
        "",
        Text("Validation split", "验证划分"),
        Text(
            "Found by its usual name when not given; - takes it from the training rows.",
            "不填则按常用名称查找；填 - 则从训练数据中划分。",
        ),
    )
    hub_test: str = option(
        "",
        Text("Test split", "测试划分"),
        Text(
            "Found by its usual name when not given; - takes it from the training rows.",
            "不填则按常用名称查找；填 - 则从训练数据中划分。",
        ),
    )
    columns: dict[str, str] = option(
        {},
        Text("Columns", "列对应"),
        Text("Which column plays which role. Guessed when not given.", "每个角色对应的列名；不填则自动识别。"),
    )
    label_separator: str = option(
        "",
        Text("Label separator", "标签分隔符"),
        Text(
            "Set it when one cell holds several labels, such as a;b: the task becomes multi-label.",
            "当一个单元格含多个标签（如 a;b）时填写，任务随之变为多标签分类。",
        ),
    )
    encoding: str = option(
        "", Text("Encoding", "文件编码"), Text("Detected when not given.", "不填则自动检测。"), advanced=True
    )
    delimiter: str = option(
        "", Text("Delimiter", "列分隔符"), Text("Detected when not given.", "不填则自动检测。"), advanced=True
    )
    sheet: str = option(
        "",
        Text("Worksheet", "工作表"),
        Text("The sheet of an XLSX file; the first when not given.", "XLSX 文件中的工作表；不填则取第一个。"),
        advanced=True,
    )
    max_train_rows: int | None = option(
        None,
        Text("Maximum training rows", "训练行数上限"),
        Text("Train on a random sample of this many rows.", "随机抽取这么多行用于训练。"),
        low=1,
        automatic=Text("all rows; a sample of the largest example", "全部；最大的示例数据只取一部分"),
    )
    validation_share: float | None = option(
        None,
        Text("Validation share", "验证集比例"),
        Text(
            "Share of the training rows kept for validation when no file is given.",
            "未提供验证文件时，从训练数据中划出的比例。",
        ),
        low=0.01,
        high=0.5,
        advanced=True,
        automatic=Text("10 %, less from 5,000 rows on", "10 %，超过 5000 行时更少"),
    )
    test_share: float | None = option(
        None,
        Text("Test share", "测试集比例"),
        Text(
            "Share of all rows kept for the test when no file is given.", "未提供测试文件时，从全部数据中划出的比例。"
        ),
        low=0.01,
        high=0.5,
        advanced=True,
        automatic=Text("20 %, more below 150 rows", "20 %，少于 150 行时更多"),
    )
    fixes: list[str] = option(
        [],
        Text("Fixes", "数据修复"),
        Text("Codes of the data check's fixes to apply before training.", "训练前要应用的数据检查修复项代码。"),
        advanced=True,
    )
