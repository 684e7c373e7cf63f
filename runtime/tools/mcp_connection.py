"""One connection to an MCP server, by the official SDK on an event loop of its own thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from satchel.runtime.errors import CancelledError, MissingExtraError, SatchelError
from satchel.runtime.tools.base import CallContext, Cancellation
from satchel.runtime.tools.errors import ToolError
from satchel.runtime.tools.mcp_transports import StandardError

_CLOSE_SECONDS = 10.0
_LIST_SECONDS = 30.0
_MOST_TOOLS = 200

Transport = Callable[[list[StandardError]], AbstractAsyncContextManager[tuple[Any, Any]]]


class McpError(ToolError):
    """The MCP server {server}: {reason}."""

    exit_code = 59
    remedy = "Try its command or address by hand; a spawned server has no network, and reads only what it was given."


class McpConnection:
    """A server that was connected to. Calls may come from any thread."""

    def __init__(self, server: str, transport: Transport, cancellation: Cancellation | None = None) -> None:
        """Connect, and shake hands; `cancellation` ends the wait for a server that does not answer.

        Raises:
            CancelledError: somebody cancelled.
            McpError: it cannot be started or reached, or speaks no MCP.
            MissingExtraError: the SDK is not installed.
        """
        try:
            import mcp  # noqa: F401 - so that its absence has a name
        except ImportError as error:
            raise MissingExtraError(feature="MCP", extra="mcp") from error
        self._server, self._transport = server, transport
        self._errors: list[StandardError] = []
        self._loop = asyncio.new_event_loop()
        self._ready: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._closing = asyncio.Event()
        self._scope: Any = None
        self._is_given_up = False
        self._thread = threading.Thread(target=self._serve, name=f"MCP {server}", daemon=True)
        self._thread.start()
        if cancellation is not None:
            cancellation.when_cancelled(self._give_up)
        try:
            self._client = self._ready.result(_LIST_SECONDS)
        except BaseException as error:
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self._let_go)
            self.close()
            raise self._failed(error) from error

    def tools(self) -> list[Any]:
        """Return the server's tools as the SDK describes them.

        Raises:
            McpError: it does not answer.
        """
        listed: list[Any] = []
        cursor: str | None = None
        while len(listed) < _MOST_TOOLS:
            page = self._wait(self._client.list_tools(cursor=cursor), _LIST_SECONDS)
            listed += page.tools
            if not (cursor := page.next_cursor):
                break
        return listed[:_MOST_TOOLS]

    def call(self, name: str, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Call a tool and return the SDK's result.

        Raises:
            McpError: the server failed.
            CancelledError, OutOfTimeError: as the call's context says.
        """
        running = self._submit(self._client.call_tool(name, dict(arguments)))
        context.cancellation.when_cancelled(lambda: _cancel(running))
        try:
            return running.result(context.seconds_left)
        except BaseException as error:
            _cancel(running)
            context.check()
            raise self._failed(error) from error

    def close(self) -> None:
        """End the server or the connection; a second call does nothing."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop ended meanwhile
                self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(_CLOSE_SECONDS)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._hold())
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the handshake; later calls fail by themselves
            if not self._ready.done():
                self._ready.set_exception(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _give_up(self) -> None:
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # it is connected, or has failed
            self._ready.set_exception(CancelledError())

    def _let_go(self) -> None:
        """Stop shaking hands; on the loop's own thread."""
        self._is_given_up = True
        if self._scope is not None:
            self._scope.cancel()

    async def _hold(self) -> None:
        import anyio
        from mcp import Client

        # A scope of anyio's, which lets a process that is just starting be started, and so be ended again.
        with anyio.CancelScope() as self._scope:
            if self._is_given_up:
                return
            # No callbacks: the server may not ask the model, the person or for folders.
            async with Client(self._transport(self._errors), read_timeout_seconds=_LIST_SECONDS * 4) as client:
                self._ready.set_result(client)
                await self._closing.wait()

    def _submit(self, work: Any) -> concurrent.futures.Future[Any]:
        if not self._thread.is_alive():
            work.close()
            raise McpError(server=self._server, reason="the connection has ended")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _wait(self, work: Any, seconds: float) -> Any:
        running = self._submit(work)
        try:
            return running.result(seconds)
        except BaseException as error:
            _cancel(running)
            raise self._failed(error) from error

    def _failed(self, error: BaseException) -> BaseException:
        """Return what to raise: an error of ours where one lies inside, else the server's own words."""
        inner = error
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        if isinstance(inner, SatchelError | KeyboardInterrupt):
            return inner
        words = str(inner) or type(inner).__name__
        if isinstance(inner, concurrent.futures.TimeoutError):
            words = "it did not answer in time"
        last = self._errors[-1].text if self._errors else ""
        return McpError(server=self._server, reason=f"{words}; its last words: {last}" if last else words)


def _cancel(running: concurrent.futures.Future[Any]) -> None:
    """Give up a request; the SDK tells the server."""
    running.cancel()
