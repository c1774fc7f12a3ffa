# The image of `countersign serve` and `countersign operate`. Build: docker build -t countersign:0.1.0 .
ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /src
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/opt/countersign
# dependencies first: they change less often than we do
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-default-groups --no-install-project
COPY LICENSE README.md ./
COPY controller controller
RUN uv sync --frozen --no-default-groups --no-editable

FROM python:${PYTHON}-slim
COPY --from=build /opt/countersign /opt/countersign
ENV PATH=/opt/countersign/bin:$PATH HOME=/nonexistent PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8443 8445 9443
ENTRYPOINT ["countersign"]
CMD ["serve"]
