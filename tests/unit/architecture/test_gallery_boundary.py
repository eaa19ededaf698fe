"""The gallery is a boundary: one module writes faces and vectors, two queries read vectors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WRITER = "app/services/gallery/vectors.py"
STATEMENTS = "app/services/gallery/vector_statements.py"
# Removes rows of the outbox that all have read, and touches nothing else.
PRUNER = "app/services/gallery/prune_changes.py"
SEARCH = "app/services/gallery/search.py"
# Compares nobody: hands an operator's calibration the vectors of a collection, with an audit event.
CALIBRATION_QUERY = "app/queries/labelled_vectors.py"
CALIBRATION = "app/services/gallery/labelled_faces.py"
# Everything that finds faces lies there, behind the protocol of `strategy.py`.
STRATEGIES = "app/services/gallery/strategies/"
QUERIES = {"app/queries/nearest_faces.py", "app/queries/copied_vectors.py"}

MODELS = {"Face", "FaceVector128", "FaceVector512", "VectorChange"}
_TABLES = r"(faces|face_vectors_|vector_changes\b)"
_WRITES = re.compile(
    rf"\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|COPY|MERGE INTO)\s+(ONLY\s+)?(public\.)?{_TABLES}"
    r"|\bface_count\s*=",
    re.IGNORECASE,
)
_VECTORS = re.compile(r"\bface_vectors_")


@cache
def sources() -> dict[str, str]:
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("app", "workers")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def literals(tree: ast.AST) -> Iterator[str]:
    """All text in a module but its docstrings; what an f-string fills in is left out."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        ):
            yield node.value


def names(tree: ast.AST) -> set[str]:
    """The models of faces and vectors that a module knows."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found & MODELS


def calls(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """What a module calls, by its last name, with the plain names among the arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            yield called, [arg.id for arg in node.args if isinstance(arg, ast.Name)]


def sets_a_count(tree: ast.AST) -> bool:
    """Whether `face_count` is assigned to, or passed by name."""
    return any(
        (isinstance(node, ast.keyword) and node.arg == "face_count")
        or (
            isinstance(node, ast.Attribute)
            and node.attr == "face_count"
            and isinstance(node.ctx, ast.Store)
        )
        for node in ast.walk(tree)
    )


def writes(source: str) -> bool:
    """Whether a module changes faces, vectors, their outbox or a collection's count."""
    tree = parsed(source)
    changing = {"insert", "update", "delete", "add", "add_all", "merge", "bulk_save_objects"}
    known = names(tree)
    return (
        any(_WRITES.search(text) for text in literals(tree))
        or sets_a_count(tree)
        or any(
            called in MODELS or (called in changing and (known & set(args)))
            for called, args in calls(tree)
        )
        or bool(known and any(called in {"add", "delete", "merge"} for called, _ in calls(tree)))
    )


def knows_vectors(source: str) -> bool:
    """Whether a module names a table of vectors, as a table or as a model."""
    tree = parsed(source)
    return any(_VECTORS.search(text) for text in literals(tree)) or any(
        name.startswith("FaceVector") for name in names(tree)
    )


def test_one_module_alone_writes_faces_vectors_and_counts() -> None:
    assert [path for path, source in sources().items() if writes(source)] == [PRUNER, STATEMENTS]
    users = {path for path, source in sources().items() if "vector_statements" in imports(source)}
    assert users == {WRITER}
    pruned = _WRITES.findall("".join(literals(parsed(sources()[PRUNER]))))
    assert {(verb, table) for verb, _, _, table in pruned} == {("DELETE FROM", "vector_changes")}


def test_two_queries_alone_read_vectors_and_one_hands_them_out() -> None:
    declared = {"app/models/face.py", "app/models/__init__.py"}
    knowing = {path for path, source in sources().items() if knows_vectors(source)}

    assert knowing - declared == {STATEMENTS, CALIBRATION_QUERY} | QUERIES
    # Of a face that moves, which vectors it has: never what they are.
    of_a_move = "SELECT collection_id, face_id, space FROM face_vectors_"
    writer = sources()[STATEMENTS].replace(of_a_move, "")
    assert set(re.findall(r"(\w+ \w+) face_vectors_", writer)) == {"INSERT INTO", "DELETE FROM"}


def test_vectors_are_handed_to_a_calibration_alone() -> None:
    users = {path for path, source in sources().items() if "labelled_vectors" in imports(source)}

    assert users == {CALIBRATION}


@pytest.mark.parametrize("query", ["nearest_faces", "copied_vectors"])
def test_a_query_is_used_by_the_gallery_s_search_alone(query: str) -> None:
    users = {path for path, source in sources().items() if query in imports(source)}

    assert users
    assert all(path == SEARCH or path.startswith(STRATEGIES) for path in users)


def test_strategies_are_used_by_the_gallery_s_search_alone() -> None:
    inside = {Path(path).stem for path in sources() if path.startswith(STRATEGIES)} - {"__init__"}
    users = {path for path, source in sources().items() if inside & imports(source)}

    assert {path for path in users if not path.startswith(STRATEGIES)} == {SEARCH}


def imports(source: str) -> set[str]:
    """The last parts of the modules and names that a module imports."""
    return {
        name.rpartition(".")[2]
        for node in ast.walk(parsed(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(each.name for each in node.names)]
    }


@pytest.mark.parametrize(
    "source",
    [
        "text('INSERT INTO faces (id) VALUES (1)')",
        "text(f'delete from face_vectors_{n} WHERE face_id = 1')",
        "text('UPDATE collections SET face_count = face_count + 1')",
        "text('INSERT INTO vector_changes DEFAULT VALUES')",
        "update(Collection).values(face_count=0)",
        "collection.face_count -= 1",
        "session.execute(delete(Face).where(Face.id == 1))",
        "session.add(models.Face(id=1))",
        "def f(face: Face) -> None:\n    session.delete(face)",
    ],
)
def test_a_write_is_recognised(source: str) -> None:
    assert writes(source)


@pytest.mark.parametrize(
    "source",
    [
        "select(Face).where(Face.subject_id == 1)",
        "'''INSERT INTO faces is what this module does not do.'''",
        "text('SELECT id FROM faces')",
        "print(collection.face_count)",
        "text('INSERT INTO detections (face_id) VALUES (1)')",
    ],
)
def test_what_only_reads_or_speaks_of_faces_is_no_write(source: str) -> None:
    assert not writes(source)


@pytest.mark.parametrize(
    "source", ["text(f'SELECT embedding FROM face_vectors_{n}')", "select(FaceVector512)"]
)
def test_a_read_of_vectors_is_recognised(source: str) -> None:
    assert knows_vectors(source)
