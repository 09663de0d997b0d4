"""Ports are free, or it is known who has them."""

import os
import socket

import psutil

from localcloud import ports


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.listener(port) == f"{psutil.Process().name()} (process {os.getpid()})"
    assert ports.is_free(port)


def test_a_free_port_can_be_listened_on_and_is_not_among_those_taken() -> None:
    port = ports.find_free(taken=set(range(20000, 32000)) - {23456})
    assert port == 23456
    with socket.create_server((ports.HOST, ports.find_free(taken=()))):
        pass


def test_nobody_known_is_another_program() -> None:
    assert ports.listener(ports.find_free(taken=())) == "another program"
