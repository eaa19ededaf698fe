"""Whoever listens hears what is notified, and notices a connection that is gone."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text

from app.config import Settings
from app.database.base import db
from app.database.listening import Listener, listening
from app.database.notify import wake_dispatcher
from app.database.transactions import queue_transaction
from app.domain.names import NotifyChannel
from tests.support.processes import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def listener(app: Flask, settings: Settings) -> Iterator[Listener]:
    del app
    with listening(settings.database_queue_url, NotifyChannel.JOB_FINISHED) as opened:
        yield opened


def tell(*payloads: str, channel: NotifyChannel = NotifyChannel.JOB_FINISHED) -> None:
    with db.engine.begin() as connection:
        for payload in payloads:
            parameters = {"channel": channel.value, "payload": payload}
            connection.execute(text("SELECT pg_notify(:channel, :payload)"), parameters)


def test_a_wait_ends_when_somebody_notifies(listener: Listener) -> None:
    tell("a", "b")

    assert listener.wait(30)
    assert listener.heard() == {"a", "b"}


def test_what_was_heard_is_not_heard_again(listener: Listener) -> None:
    tell("a")
    assert listener.wait(30)
    listener.heard()

    assert listener.heard() == set()


def test_what_came_with_the_answer_to_a_question_is_heard(listener: Listener) -> None:
    tell("a")

    def answered() -> bool:
        assert listener.ask("SELECT %s + 1", 41) == [(42,)]
        return listener.heard() == {"a"}

    wait_until(answered, what="the notification")


def test_a_wait_ends_with_its_time(listener: Listener) -> None:
    assert not listener.wait(0.1)


def test_other_channels_are_not_heard(listener: Listener) -> None:
    wake_dispatcher()

    listener.ask("SELECT 1")
    assert listener.heard() == set()


def test_a_connection_that_the_server_ends_is_noticed_at_once(listener: Listener) -> None:
    end(listener)

    with pytest.raises(psycopg2.Error):
        hear_last_words_and_the_end(listener)


def test_an_operator_can_tell_what_the_connection_is_for(listener: Listener) -> None:
    assert listener.ask("SHOW application_name") == [(NotifyChannel.JOB_FINISHED.value,)]


def test_a_session_is_set_up_as_its_opener_asks(app: Flask, settings: Settings) -> None:
    del app
    options = "-c idle_session_timeout=10s"
    with listening(
        settings.database_queue_url, NotifyChannel.DISPATCH, options=options
    ) as listener:
        assert listener.ask("SHOW idle_session_timeout") == [("10s",)]


def test_a_server_whose_host_has_gone_is_given_up_within_half_a_minute(listener: Listener) -> None:
    with socket.socket(fileno=os.dup(listener._connection.fileno())) as wire:
        unanswered_ms = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert 0 < unanswered_ms <= 30_000


def hear_last_words_and_the_end(listener: Listener) -> None:
    for _ in range(2):
        assert listener.wait(30)
        listener.heard()


def end(listener: Listener) -> None:
    ((backend,),) = listener.ask("SELECT pg_backend_pid()")
    with queue_transaction() as session:
        ended = "SELECT pg_terminate_backend(:backend, 5000)"
        assert session.execute(text(ended), {"backend": backend}).scalar_one()
