"""Strangers' words in a comment stay words: no HTML, no mention, no heading, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from totalml.comparison.markdown import block, code, sections_as_markdown
from totalml.comparison.sections import recipe_section
from totalml.values.keys import key_changes
from totalml.values.shown import visible

HOSTILE = [
    "</code></pre><img src=x onerror=alert(1)>",
    "@everyone #1 owner/repo#2 https://example.org",
    "`tick` ``two`` ```three```",
    "```\n# heading\n<script>alert(1)</script>\n```",
    "line\u2028line\rline\n- [ ] task",
    "\u202egnp.exe \x1b[31mred\x07",
    "| cell | cell |",
    "",
    " ",
    "`",
    "\\`",
    "--> <!-- hidden",
]
words = st.sampled_from(HOSTILE) | st.text(max_size=30) | st.text(alphabet="`~\n |<>@-", max_size=20)


def outside_of_code(markdown):
    """The text and the HTML that a reader of CommonMark finds outside of code."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        for child in token.children or [token]:
            if child.type not in ("code_inline", "fence"):
                found.append(child.content)
            assert child.type not in ("html_block", "html_inline", "link_open", "image"), markdown
    return "".join(found)


@given(words)
def test_a_code_span_holds_any_text(text):
    assert outside_of_code(f"a {code(text)} z") == "a  z"
    (inline,) = [token for token in MarkdownIt().parse(f"a {code(text)} z") if token.type == "inline"]
    assert inline.children[1].content.strip() == visible(text).strip()


@given(st.lists(words, max_size=4))
def test_a_block_holds_any_lines(lines):
    (fence,) = MarkdownIt().parse(block(lines))
    assert fence.type == "fence"
    assert fence.content == "\n".join(map(visible, lines)) + "\n"


@given(st.dictionaries(words, words, max_size=3), st.dictionaries(words, words, max_size=3))
def test_keys_and_values_of_a_recipe_stay_in_code(old, new):
    markdown = sections_as_markdown([recipe_section(key_changes(old, new), None)])
    assert set(outside_of_code(markdown)) <= set("Recipe: \n")


@pytest.mark.parametrize("letter", ["\n", "\r", "\x1b", "\u202e", "\u2028", "\x00", "\u200b", "\x9b"])
def test_what_does_not_print_is_spelt_out(letter):
    assert visible(f"a{letter}b") == f"a\\u{ord(letter):04x}b"
    assert visible("Grün – 漢字 “x”") == "Grün – 漢字 “x”"
