"""A statement's shape holds nothing of what the statement carried."""

from __future__ import annotations

import pytest

from app.domain.statement_shape import MOST_CHARACTERS, statement_shape


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 'secret'",
        "SELECT 'it''s secret'",
        "SELECT 'a\\', 'secret'",
        "SELECT E'it\\'s secret'",
        "SELECT U&'secret', B'1', date'2020-01-01', 'secret'",
        "SELECT 1 -- don't\n WHERE a = 'secret' -- 'secret",
        "SELECT /* isn't /* ' */ secret */ 1, 'secret'",
        "SELECT $$it's secret$$, $q$ a $$ secret $q$, 'secret'",
        "SELECT 'costs $$' , 'secret' , '$$'",
        "SELECT \"it's\", 'secret'",
        "COPY t (a) FROM STDIN;\nsecret\t1\n\\.\n",
        "SELECT 'secret",
        "SELECT $$ secret",
        "SELECT /* secret",
        'SELECT "secret',
    ],
)
def test_no_literal_is_left_however_it_is_quoted(statement: str) -> None:
    assert "secret" not in statement_shape(statement)


@pytest.mark.parametrize(
    "number", ["17", "-17", "0.17", ".17", "1.7e-17", "0x17F", "1_700", "17e3"]
)
def test_no_number_is_left(number: str) -> None:
    assert statement_shape(f"SELECT a FROM t2 WHERE b = {number}") == (
        "SELECT a FROM t2 WHERE b = ?"
    )


@pytest.mark.parametrize(
    ("statement", "shape"),
    [
        ("a IN (%s, %s, %s)", "a IN (?, …)"),
        ("a IN (%(a_1)s::UUID, %(a_2)s::UUID)", "a IN (?::UUID, …)"),
        ("a IN (1, -2, 3)", "a IN (?, …)"),
        ("VALUES (%s, %s), (%s, %s), (%s, %s)", "VALUES (?, …), …"),
        ("VALUES (1, NULL), (2, NULL)", "VALUES (?, NULL), …"),
        ("v <=> '[0.1,0.2]'::halfvec(128)", "v <=> ?::halfvec(?)"),
        ("a = $1 AND\n\t b = $2", "a = ? AND b = ?"),
        ("COPY pg_temp.x FROM STDIN (FORMAT binary)", "COPY pg_temp.x FROM STDIN (FORMAT binary)"),
    ],
)
def test_parameters_and_lists_have_one_shape_whatever_their_number(
    statement: str, shape: str
) -> None:
    assert statement_shape(statement) == shape


def test_names_stay() -> None:
    assert statement_shape('SELECT "T 1".c2 FROM x$y3') == 'SELECT "T 1".c2 FROM x$y3'


def test_a_long_statement_is_cut() -> None:
    shape = statement_shape("SELECT " + "a_column + " * 100)

    assert len(shape) == MOST_CHARACTERS
    assert shape.endswith("…")
