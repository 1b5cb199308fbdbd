"""What is secret in a URL is in nothing that is written or printed."""

from __future__ import annotations

import logging
import string
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.config.reader import build_config
from automl.config.writer import write_config
from automl.errors import AutomlError
from automl.learning.problem.inputs import LearningInputs
from automl.learning.problem.prepare import default_name
from automl.redact import RedactingFormatter, redact_message, redact_text, redact_url, without_secrets

SECRET = st.text(string.ascii_uppercase + string.digits, min_size=6, max_size=20)
"""Of letters that nothing else here has."""
ODD = st.sampled_from(["", "/", "?", "#", "@", "\\", ":", "%2F", "%40", "&", ";", "=", "//", "/?", "@/"])
FORMS = (
    "https://user:{0}@host/a.csv",
    "https://{0}@host/a.csv",
    "https://{0}:{0}@host:8080/folder/a.csv",
    "https://host/a.csv?pass={0}",
    "https://host/a.csv?x=1&jwt={0}&y=2",
    "https://host/a.csv?{0}",
    "https://host/a.csv#{0}",
    "https://user:{0}@host/a.csv?code={0}#{0}",
    "s3://key:{0}@bucket/a.csv",
    "simplecache::https://user:{0}@host/a.csv",
    "zip://a.csv::https://user:{0}@host/a.zip?sas={0}",
    "https:\\\\user:{0}@host\\a.csv",
    "postgresql://user:{0}@db/mlflow?password={0}",
)


@settings(deadline=None)
@given(form=st.sampled_from(FORMS), secret=SECRET, odd=ODD, at=st.integers(0, 6))
def test_a_secret_is_in_no_text_and_no_record(form: str, secret: str, odd: str, at: int) -> None:
    begin, end = secret[:at], secret[at:]
    url = form.format(f"{begin}{odd}{end}" if "@" in form.partition("{0}")[2] or "?" in form or "#" in form else secret)
    hidden = [part for part in (begin, end) if len(part) > 2]
    if "user:" not in form and "key:" not in form and "{0}:{0}" not in form and odd in ("/", "//", "/?", "@/", "\\"):
        return  # a name with a slash and without a password is a host and a path, for all that anybody can tell
    config = build_config({"task": "regression", "data": {"source": url, "target": "y"}})
    texts = (
        redact_url(url),
        redact_text(url),
        redact_message(f"Cannot read {url}: no answer."),
        redact_message(f"two: {url} and '{url}'"),
        without_secrets(f"cannot read {url}", url),
        write_config(config),
        default_name(config, LearningInputs()),
        RedactingFormatter().format(logging.LogRecord("automl", 30, "", 1, "at %s", (url,), None)),
    )
    for text in texts:
        assert not any(part in text for part in hidden), text


@given(secret=st.text(st.characters(exclude_categories=("Cs",)), min_size=6, max_size=20))
def test_what_is_percent_encoded_is_hidden_too(secret: str) -> None:
    url = f"https://user:{quote(secret, safe='')}@host/a.csv?token={quote(secret, safe='')}"
    assert redact_url(url) == "https://***@host/a.csv"


@pytest.mark.parametrize(
    "text",
    [
        "redirected to http://[::ffff:10.0.0.1], and to http://host:8080, which is not followed (see http://host:81)",
        "s3://bucket/a@b.csv",
        "file:///home/me@here/a.csv",
        "http://[::1]:8080/a.csv",
        "is it there? yes",
        "C:\\data\\a.csv",
        "sqlite:////tmp/mlflow.db",
        "/data/a@b.csv",
        "ann@example.org",
    ],
)
def test_what_is_not_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_a_library_that_leaves_the_beginning_out_is_understood() -> None:
    assert redact_message("exceeded with url: /x.csv?pass=geheim (Caused by") == "exceeded with url: /x.csv (Caused by"


def test_a_library_that_quotes_a_part_of_a_password_is_not_quoted() -> None:
    assert without_secrets("invalid port: 'pass'", "https://user:pass/word@host/x") == ""
    assert without_secrets("connection refused", "https://user:pass/word@host/x") == "connection refused"


def test_errors_show_what_would_command_a_terminal() -> None:
    assert str(AutomlError("the label 'a\x1b[31m\u202e'")) == r"the label 'a\x1b[31m\u202e'"


def test_a_line_of_the_log_cannot_be_forged() -> None:
    record = logging.LogRecord("automl", 30, "", 1, "label a\nERROR: all is lost\x1b[2J", (), None)
    assert RedactingFormatter("%(levelname)s %(message)s").format(record) == (
        "WARNING label a\n  ERROR: all is lost\\x1b[2J"
    )
