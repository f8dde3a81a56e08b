# fanfold as an image: `docker build -t fanfold .`, then `docker run --rm fanfold --help`.
FROM node:24-bookworm-slim AS build
WORKDIR /app
# The scripts of the development tools (an own Node.js among them) have no use here.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY bin bin
# State; and what docker-compose.yml hands on to a broker.
RUN install -d -o node -g node -m 700 /var/lib/fanfold && install -d -o node -g node /var/lib/fanfold-broker \
  && ln -s /app/bin/fanfold.cjs /usr/local/bin/fanfold
USER node
VOLUME /var/lib/fanfold
EXPOSE 7337
ENTRYPOINT ["fanfold"]
CMD ["--help"]
