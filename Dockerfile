# One image for api and workers. `docker build -t talaria .`
# Node is the version that package.json pins; test/deploy.test.ts keeps the three places the same.

# The page is built with all packages; only the result goes on.
FROM node:24.21.0-trixie-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY common/base common/base
COPY common/contracts common/contracts
COPY api/web api/web
RUN npm run build

FROM node:24.21.0-trixie-slim
# Debian packages that the commands of runs need beside a shell: --build-arg TOOLS="git ca-certificates ripgrep"
ARG TOOLS=""
# As process 1, Node would leave what a command's processes left behind as zombies: tini reaps them and passes signals on.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini ${TOOLS} \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 -m 0700 /data
ENV NODE_ENV=production TALARIA_HOME=/data
WORKDIR /app
COPY package.json package-lock.json ./
# Without scripts, so that the package `node` does not bring the Node of this image a second time; where programs look for
# it, there is a link. The stamp says that the packages are there (scripts/setup/packages.mjs): the page's are left out.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && npm cache clean --force \
 && mkdir -p node_modules/node/bin \
 && ln -s "$(command -v node)" node_modules/node/bin/node \
 && sha256sum package-lock.json | cut -d ' ' -f 1 | tr -d '\n' > node_modules/.talaria-lock
COPY LICENSE ./
COPY common common
COPY workers workers
COPY scripts scripts
COPY api api
COPY --from=page /app/api/web/dist api/web/dist

# By number: Kubernetes cannot tell from a name that it is not root.
USER 1000:1000
EXPOSE 8787
# HOST is not set here: whoever starts an api gives it, with a password or a token. Of workers neither is asked.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8787) + '/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--"]
# A worker: `node --disable-warning=ExperimentalWarning workers/main.ts`, and no health check (nothing listens there).
CMD ["node", "--disable-warning=ExperimentalWarning", "api/main.ts"]
