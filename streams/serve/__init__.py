"""The API of the read model: FastAPI on uvicorn, with the extra `serve`."""
