"""Common names of columns, in English and Chinese.

Knows names that occur in headers of any table, and how a name is compared with those that a task gives to its roles (`aliases`).
Each task decides the weight of a name relative to the content of the column.
"""

from __future__ import annotations

import functools
import re
import unicodedata

# Names by which a line is recognised as the header of a table, whatever the table is for.
_HEADERS_TEXT = (
    "text sentence content review comment message utterance tweet post body document query question sentence1 "
    "text1 premise question1 input instruction review_text review_body text_a snippet description headline title "
    "subject feedback note reviewcontent contents statement phrase prompt 文本 内容 评论 正文 句子 评论内容 文本内容 评价 评价内容 留言 消息 "
    "原文 问题 描述 文章 语句 输入 短信 弹幕 微博 微博正文 反馈 反馈内容 问句 用户输入 对话 摘要 标题 新闻标题 新闻内容 文本1 句子1 text_pair sentence2 text2 "
    "hypothesis question2 text_b pair second_text sentence_b 文本2 句子2 第二段文本 假设 问题2 文本b 句子b label labels category "
    "class intent target sentiment topic tag tags y gold categories emotion classification genre polarity answer "
    "output stance rating stars star score toxic spam is_duplicate type group 标签 类别 分类 情感 意图 类型 主题 标注 情绪 情感倾向 "
    "情感标签 标签值 分类标签 类目 所属类别 极性 评分 星级 打分 结果 领域 评价类型 一级分类 raw_text spans entities span entity annotations ents 实体 "
    "实体区间 实体标注 实体列表 tokens words token word text_tokens characters chars 词 词元 字 分词 词语 单词 字符 ner_tags ner bio_tags "
    "bio ner_labels entity_tags iob 实体标签 序列标注 标记 context passage paragraph article story background 上下文 段落 材料 背景 "
    "篇章 阅读材料 questions ask 提问 疑问 题目 问 answers answer_text gold_answer reference answer_spans 答案 回答 参考答案 标准答案 答 "
    "答案文本 answer_start start answer_begin start_position answer_offset char_start 答案起点 答案位置 起始位置 答案起始 答案开始位置 起点 "
    "dialogue source report maintext main_text full_text transcript conversation news 文档 全文 文章内容 新闻正文 summary "
    "summaries highlights abstract tldr summary_text gist section 概要 总结 概述 文章摘要 参考摘要 小结 要点"
)
# Names of columns that identify, date or locate a row: never what a model should read.
_IDENTIFIERS_TEXT = (
    "id idx index no number num uuid guid key rowid fname filename file file_name url link uri date time datetime timestamp "
    "created userid uid user username user_name name nickname 姓名 昵称 annotator annotators completed_by author phone path split unnamed:_0 unnamed row_name 序号 编号 日期 时间 用户 用户id "
    "用户名 作者 链接 网址 文件名 电话 手机 手机号 邮箱 主键 行号 工号 单号 订单号 学号"
)
_IDENTIFIERS = frozenset(_IDENTIFIERS_TEXT.split())
_KNOWN = _IDENTIFIERS.union(_HEADERS_TEXT.split())
_ID_WORDS = re.compile(r"(user|doc|news|item|row|msg|post|tweet|order|review|comment)id")


def plain_name(name: str) -> str:
    """A column name without case, width, punctuation and camel case: `reviewText`, `Review Text` and `review-text` agree."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", unicodedata.normalize("NFKC", name).strip())
    return re.sub(r"[\s_\-.]+", "_", name).strip("_").casefold()


@functools.cache
def names_in(aliases: str) -> tuple[str, ...]:
    """The plain names in a text of names separated by blanks, each once, in the same order."""
    return tuple(dict.fromkeys(aliases.split()))


def known_names() -> frozenset[str]:
    """Every known name of a column."""
    return _KNOWN


def is_identifier(name: str) -> bool:
    """Whether the name is that of an identifier, a date or a location of the row."""
    plain = plain_name(name)
    if plain in _IDENTIFIERS:
        return True
    ends = ("_id", "_ids", "_url", "_date", "_time", "_at", "编号", "日期", "时间", "序号", "链接")
    return plain.endswith(ends) or _ID_WORDS.fullmatch(plain) is not None


def name_score(name: str, aliases: str) -> float:
    """How well `name` matches one of `aliases` (best first), 0 to 1: 1 for the first, less for later ones and for names that
    only contain one.
    """
    plain = plain_name(name)
    names = names_in(aliases)
    if plain in names:
        return 1.0 - 0.4 * names.index(plain) / len(names)
    words = set(plain.split("_"))
    contained = [alias for alias in names if (alias in words if alias.isascii() else len(alias) > 1 and alias in plain)]
    if contained:
        return 0.5 - 0.2 * names.index(contained[0]) / len(names)
    return 0.0
