from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dagster_agent.actions.quoting import Quoter

QUOTER = Quoter(["s3cr3t-value"])
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})

ATTACKS = st.text(
    st.sampled_from([*"ab1 .:/-_=+#@!|<>&;~*`'\"()[]{}\\\n\r\t", "\u202e", "\u200b", "\x00", "é"]),
    max_size=40,
) | st.lists(
    st.sampled_from(
        [
            "@ops",
            "Fixes #12",
            "GH-12",
            "acme/dbt#12",
            "https://evil.example/x",
            "www.evil.example",
            "![x](http://evil)",
            "[x](javascript:x)",
            "<img src=x>",
            "&#64;ops",
            "`code`",
            "`",
            "``",
            "```",
            "\\`",
            "\\",
            " ",
            "a|b",
            "# head",
            "\n\n- item",
            "~~~",
            "<!-- -->",
            "me@example.org",
        ]
    ),
    max_size=8,
).map("".join)

FORBIDDEN = re.compile(r"(?<![\w])@\w|#\d|\bGH-\d|://|www\.\w|\w@\w", re.I)


def outside_code(markdown: str) -> str:
    """The text a code host would look for mentions, references and links in."""
    texts: list[str] = []
    for token in MARKDOWN.parse(markdown):
        texts.append("\n")
        for child in token.children or []:
            if child.type == "text":
                texts.append(child.content)
            else:
                texts.append("\n")
    return "".join(texts)


def kinds(markdown: str) -> set[str]:
    found: set[str] = set()
    for token in MARKDOWN.parse(markdown):
        found.add(token.type)
        found.update(child.type for child in token.children or [])
    return found


@given(text=ATTACKS)
@example(text="`a``[x](http://evil)`")
@example(text="\\`[x](http://evil)\\`")
@example(text="`a\\`[x](http://evil)`")
def test_prose_is_one_paragraph_of_text_and_code(text: str) -> None:
    quoted = QUOTER.prose(text)
    assert "\n" not in quoted
    assert kinds(quoted) <= {"paragraph_open", "paragraph_close", "inline", "text", "code_inline"}
    assert not FORBIDDEN.search(outside_code(quoted))


@given(texts=st.lists(ATTACKS, min_size=3, max_size=3))
def test_a_cell_stays_one_cell(texts: list[str]) -> None:
    table = QUOTER.table(("a", "b", "c"), [[QUOTER.cell(text) for text in texts]])
    tokens = [token.type for token in MARKDOWN.parse(table)]
    assert tokens.count("td_open") == 3
    assert tokens.count("tr_open") == 2
    assert "link_open" not in kinds(table)
    assert "image" not in kinds(table)
    assert "html_inline" not in kinds(table)
    assert not FORBIDDEN.search(outside_code(table))


@given(text=ATTACKS)
def test_code_is_one_code_span(text: str) -> None:
    assert kinds(f"x {QUOTER.code('a' + text)} y") <= {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "code_inline",
    }


@given(text=ATTACKS)
def test_a_fence_is_not_left(text: str) -> None:
    tokens = MARKDOWN.parse(QUOTER.fenced(text, "diff") + "\n\nafter")
    assert [token.type for token in tokens] == [
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]


@given(text=ATTACKS)
def test_plain_text_mentions_closes_and_links_nothing(text: str) -> None:
    plain = QUOTER.plain(text)
    assert "\n" not in plain
    assert not re.search(r"@\w|#\d|GH-\d|\w://", plain, re.I)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "Commit `3f2a1c9` turned a left join in `stg_flights.sql` (15.6 %)",
            "Commit `3f2a1c9` turned a left join in `stg_flights.sql` (15.6 %)",
        ),
        ("stg_flights and __init__", "stg_flights and \\_\\_init\\_\\_"),
        ("owner: @ops, see #12", "owner: @\u200bops, see #\u200b12"),
        ("1. first", "1\\. first"),
        ("- 3 rows", "\\- 3 rows"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("token s3cr3t-value", "token [redacted]".replace("[", "\\[").replace("]", "\\]")),
        ("zwei\u202eneliez", "zweineliez"),
        ("Größe 中文", "Größe 中文"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert QUOTER.prose(text) == shown


def test_plain() -> None:
    said = QUOTER.plain("Fixes #12, GH-3\n@ops see https://evil.example acme/dbt#7")
    assert said == "Fixes no. 12, GH 3 (at)ops see evil.example acme/dbt no. 7"


def test_fenced_shows_what_hides_and_keeps_code() -> None:
    diff = "-select\u202e 1\r\n+select '```' as \"ü\"\tx\n"
    assert QUOTER.fenced(diff, "diff") == (
        "````diff\n-select<U+202E> 1\n+select '```' as \"ü\"\tx\n\n````"
    )
