# One image; the command picks what runs: serve (the default), worker, up, migrate, …

FROM oven/bun:1.4.5-slim AS packages
WORKDIR /app
COPY package.json bun.lock ./
COPY patches patches
RUN bun install --frozen-lockfile --production --ignore-scripts

FROM oven/bun:1.4.5-slim
# tini takes in what jobs leave behind: process 1 has to.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates tini \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=bun --group=bun --mode=0700 /data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY . .
USER bun
# As bin/bun_memory.mjs says of it.
ENV BUN_JSC_forceRAMSize=1073741824 \
    NODE_ENV=production \
    SIGNALBOX_HOST=0.0.0.0 \
    SIGNALBOX_DATA=/data
VOLUME /data
EXPOSE 4600
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bun", "/app/bin/healthy.mjs"]
ENTRYPOINT ["tini", "--", "bun", "/app/src/cli/main.ts"]
CMD ["serve"]
