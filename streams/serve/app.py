"""The API put together: operations, health, metrics, errors as problem details, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response

from streams.clock import now_ms
from streams.serve.answers import problem
from streams.serve.documents import Problem
from streams.serve.measures import Measures
from streams.serve.operations import MAX_LISTENERS, Shared, digest, operations
from streams.settings import Settings
from streams.view.cursor import BadCursor
from streams.view.keys import Keys
from streams.view.link import async_client, words
from streams.view.reader import Fresh, NotWhole, ReadModel, RedisAway

__all__ = ["create_api"]

_DESCRIPTION = """Who stands where, who has whom and until when: the read model of leadstream.

Every answer carries `as_of`, the log time up to which everything is in it, and `stale`: null, or since when nothing was
heard of Kafka. Errors are problem details (RFC 9457). While the read model is being filled the API answers 503: it
never shows a part as the whole."""


def create_api(settings: Settings) -> FastAPI:
    """The API.

    Raises:
        UsageError: The address of Redis cannot be read.
    """
    client, keys = async_client(settings), Keys(settings.redis_prefix)
    listening = async_client(settings, connections=MAX_LISTENERS)
    model = ReadModel(client, keys, now_ms)
    key = None if settings.api_key is None else digest(settings.api_key.get_secret_value())

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await client.aclose()
        await listening.aclose()

    api = FastAPI(title="leadstream", version=version("leadstream"), description=_DESCRIPTION, lifespan=life)
    api.state.shared = Shared(model, listening, keys, key)
    api.add_middleware(Measures, model=model)
    api.include_router(operations)
    _serve_health(api, model)
    _say_problems(api, model, settings)
    _document(api)
    return api


def _serve_health(api: FastAPI, model: ReadModel) -> None:
    @api.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return Response("ok\n", media_type="text/plain")

    @api.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        state, _ = await model.ask()
        fresh = state.fresh
        told = f"ok: as of {fresh.as_of or 'no log time yet'}"
        return Response(f"{told}, stale since {fresh.stale}\n" if fresh.stale else f"{told}\n", media_type="text/plain")


def _say_problems(api: FastAPI, model: ReadModel, settings: Settings) -> None:
    async def seen() -> Fresh:
        # What was looked up last may be an hour old: how fresh things are is asked of Redis.
        with suppress(NotWhole, RedisAway):
            return (await model.ask())[0].fresh
        return model.fresh

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{' '.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return problem(422, told, request.url.path, await seen())

    @api.exception_handler(BadCursor)
    async def bad_cursor(request: Request, error: BadCursor) -> Response:
        return problem(422, f"query cursor: {error}", request.url.path, await seen())

    @api.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        headers = None if error.headers is None else dict(error.headers)
        nothing = error.status_code == 404 and error.detail == "Not Found"
        told = "there is nothing at this address; /docs lists what there is" if nothing else str(error.detail)
        return problem(error.status_code, told, request.url.path, await seen(), headers)

    @api.exception_handler(NotWhole)
    async def not_whole(request: Request, error: NotWhole) -> Response:
        return problem(503, str(error), request.url.path, error.fresh, {"Retry-After": "2"})

    @api.exception_handler(RedisAway)
    async def away(request: Request, error: RedisAway) -> Response:
        return problem(503, words(settings, error.error), request.url.path, error.fresh, {"Retry-After": "2"})


def _document(api: FastAPI) -> None:
    """The OpenAPI document, with the form of problems, which no operation declares by itself."""

    def document() -> dict[str, Any]:
        if api.openapi_schema is None:
            made = get_openapi(
                title=api.title, version=api.version, description=api.description, routes=list(api.routes)
            )
            made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
            api.openapi_schema = made
        return api.openapi_schema

    api.openapi = document  # type: ignore[method-assign]
