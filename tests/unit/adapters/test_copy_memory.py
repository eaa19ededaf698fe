"""Memory that processes share: whose copies they see, and what a killed one leaves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from uuid import uuid4

import numpy as np
import pytest

from app.adapters.copy_memory import Bytes, Copy, CopyMemory, Floats
from app.domain.gallery import GalleryRef

# A segment holds so many faces of 128 dimensions.
SEGMENT = 8192


@pytest.fixture
def memory() -> CopyMemory:
    """Room for three segments."""
    return CopyMemory(13)


def gallery() -> GalleryRef:
    return GalleryRef(uuid4(), uuid4(), 128, "Some@1")


def faces(count: int) -> tuple[Bytes, Floats]:
    draw = np.random.default_rng(count)
    ids = draw.integers(0, 255, (count, 16), np.uint8)
    return ids, draw.standard_normal((count, 128), np.float32)


def make(memory: CopyMemory, of: GalleryRef, count: int) -> bool:
    with memory.change(of, new=True) as copy:
        if copy is None or not copy.append(*faces(count)):
            return False
        copy.finish(position=5, epoch=1)
    return True


def count(memory: CopyMemory, of: GalleryRef) -> int | None:
    """How many faces a copy holds; None when there is none."""
    with memory.read(of) as copy:
        return None if copy is None else sum(len(each.ids) for each in copy.segments())


entered: list[AbstractContextManager[Copy | None]] = []


def enter(using: AbstractContextManager[Copy | None]) -> Copy | None:
    """Enter, and never leave."""
    entered.append(using)
    return using.__enter__()


@contextmanager
def child(action: Callable[[], object]) -> Iterator[int]:
    """Another process in which something happens, and which then stands still."""
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            action()
            os.write(told, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(told)
    try:
        assert os.read(ready, 1) == b"."
        yield pid
    finally:
        end(pid)
        os.close(ready)


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def test_a_copy_holds_its_faces_at_length_one(memory: CopyMemory) -> None:
    here = gallery()
    assert make(memory, here, SEGMENT + 10)

    with memory.read(here) as copy:
        assert copy is not None
        found = [(each.ids.copy(), each.vectors.copy()) for each in copy.segments()]

    ids, vectors = faces(SEGMENT + 10)
    assert np.array_equal(np.concatenate([each[0] for each in found]), ids)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(np.concatenate([each[1] for each in found]), vectors / lengths, atol=1e-6)


def test_a_copy_that_another_process_made_is_seen(memory: CopyMemory) -> None:
    here = gallery()
    with child(lambda: make(memory, here, 10)):
        assert count(memory, here) == 10


def test_a_child_does_not_wait_for_a_thread_that_its_parent_had(memory: CopyMemory) -> None:
    here = gallery()
    make(memory, here, 10)
    held, leave = Event(), Event()

    def hold() -> None:
        with memory.read(here):
            held.set()
            leave.wait()

    def read() -> None:
        memory.child_began()
        signal.alarm(20)  # rather than for ever
        assert count(memory, here) == 10
        signal.alarm(0)

    thread = Thread(target=hold)
    thread.start()
    held.wait()
    try:
        with child(read):
            pass
    finally:
        leave.set()
        thread.join()


def test_a_copy_that_a_killed_process_left_unfinished_is_never_read_and_its_room_is_free(
    memory: CopyMemory,
) -> None:
    here, there = gallery(), gallery()

    def begin() -> None:
        copy = enter(memory.change(here, new=True))
        assert copy is not None
        assert copy.append(*faces(2 * SEGMENT))

    with child(begin) as pid:
        assert count(memory, here) is None
        assert not make(memory, there, 3 * SEGMENT)
        end(pid)
        assert count(memory, here) is None
        assert make(memory, there, 3 * SEGMENT)


def test_a_copy_whose_writer_is_killed_while_it_follows_is_gone(memory: CopyMemory) -> None:
    here = gallery()
    make(memory, here, 100)

    def change() -> None:
        copy = enter(memory.change(here))
        assert copy is not None
        copy.remove(faces(100)[0][:50])

    with child(change) as pid:
        assert count(memory, here) is None
        end(pid)
        assert count(memory, here) is None
        assert make(memory, here, 10)


def test_a_copy_that_is_being_read_is_neither_changed_nor_dropped(memory: CopyMemory) -> None:
    here, other = gallery(), gallery()
    make(memory, here, SEGMENT)

    with child(lambda: enter(memory.read(here))) as pid:
        with memory.change(here) as copy:
            assert copy is None
        memory.drop()
        assert not make(memory, other, 3 * SEGMENT)
        assert count(memory, here) == SEGMENT
        end(pid)
        memory.drop()
        assert count(memory, here) is None


def test_the_copy_that_was_not_used_for_longest_makes_room(memory: CopyMemory) -> None:
    old, used, new = gallery(), gallery(), gallery()
    for each in (old, used):
        make(memory, each, SEGMENT)
    assert count(memory, used) == SEGMENT

    assert make(memory, new, 2 * SEGMENT)

    assert [count(memory, each) for each in (old, used, new)] == [None, SEGMENT, 2 * SEGMENT]


def test_what_does_not_fit_leaves_nothing(memory: CopyMemory) -> None:
    big = gallery()
    assert not memory.room_for(3 * SEGMENT + 1, 128)
    assert not make(memory, big, 3 * SEGMENT + 1)
    assert count(memory, big) is None
    assert make(memory, big, 3 * SEGMENT)


def test_a_face_that_is_removed_is_in_the_memory_no_more(memory: CopyMemory) -> None:
    here = gallery()
    make(memory, here, 100)
    ids, vectors = faces(100)
    with memory.change(here) as copy:
        assert copy is not None
        copy.remove(ids[[3, 50, 99]])
        copy.finish(position=6, epoch=1)

    with memory.read(here) as copy:
        assert copy is not None
        (segment,) = copy.segments()
        left = {each.tobytes() for each in segment.ids}
        assert left == {each.tobytes() for each in np.delete(ids, [3, 50, 99], axis=0)}
        everything = bytes(memory._map)
    for number in (3, 50, 99):
        unit = vectors[number] / np.linalg.norm(vectors[number])
        assert unit.tobytes() not in everything
        assert ids[number].tobytes() not in everything


def test_a_copy_that_nobody_brought_up_to_date_is_dropped(memory: CopyMemory) -> None:
    here = gallery()
    make(memory, here, 10)
    age = memory.age_s(here)
    assert age is not None

    memory.drop(not_fresh_since=0)
    assert count(memory, here) == 10
    memory.drop()
    assert count(memory, here) is None
    assert memory.positions() == []
