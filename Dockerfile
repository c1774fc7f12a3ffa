# The image of `countersign serve` and `countersign operate`. Build: make image
#
# What goes in was fetched and checked before (`make wheelhouse`): nothing is downloaded
# here, so it builds the same without a network. What comes out has no shell, no package
# manager and no compiler. Both images need the same Python and a C library as old.
ARG BUILD=docker.io/library/python:3.11-slim-bookworm
ARG BASE=gcr.io/distroless/python3-debian12:nonroot

FROM ${BUILD} AS build
ARG TARGETARCH=amd64
ARG SOURCE_DATE_EPOCH=0
COPY dist/wheelhouse/requirements.txt dist/wheelhouse/own/ /wheels/
COPY dist/wheelhouse/${TARGETARCH}/ /wheels/
# bytecode by the hash of its source, files of one date: the same bytes every time
RUN python3 -m pip install --no-cache-dir --no-index --no-deps --no-compile \
      --disable-pip-version-check --root-user-action=ignore --require-hashes \
      --find-links /wheels --target /opt/countersign -r /wheels/requirements.txt \
 && python3 -m pip install --no-cache-dir --no-index --no-deps --no-compile \
      --disable-pip-version-check --root-user-action=ignore \
      --target /opt/countersign /wheels/countersign-*.whl \
 && rm -rf /opt/countersign/bin \
 && PYTHONHASHSEED=0 python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      /opt/countersign \
 && find /opt/countersign -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

FROM ${BASE}
COPY --from=build /opt/countersign /opt/countersign
ENV PYTHONPATH=/opt/countersign PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 HOME=/nonexistent
WORKDIR /
USER 65532:65532
EXPOSE 8443 8445 9443
ENTRYPOINT ["python3", "-m", "countersign"]
CMD ["serve"]
