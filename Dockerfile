# One image for every Wardroom service: `wardroom run SERVICE` (docker-compose.yml names them).
FROM node:24-bookworm-slim

WORKDIR /wardroom
COPY package.json package-lock.json ./
# No package needs its install script.
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

COPY appservice appservice
COPY audit audit
COPY bin bin
COPY bots bots
COPY cli cli
COPY config config
COPY core core
COPY web web
COPY tsconfig.json ./
RUN node bin/wardroom.mjs build

# Volumes take over these folders with their owner.
RUN for folder in keys keeper recovery audit registrations/bots registrations/ghosts synapse element data; do \
      install -d -o node -g node -m 700 "/var/lib/wardroom/$folder"; \
    done

USER node
ENV NODE_ENV=production
ENTRYPOINT ["node", "bin/wardroom.mjs"]
CMD ["help"]
