# Runs the two commands of README.md in a container, on Linux or in Docker Desktop with host networking:
#
#   docker build -t ofauth-edge .
#   docker run --rm -it --init --network host ofauth-edge make run
#   docker run --rm -it --init ofauth-edge make test
#
# All programs listen on 127.0.0.1 only, so `make run` needs the network of the host.

FROM debian:trixie

RUN apt-get update \
  && apt-get install -y git build-essential pkg-config libssl-dev nodejs npm curl \
  && rm -rf /var/lib/apt/lists/* \
  && curl --proto "=https" --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain none

WORKDIR /ofauth-edge
COPY . .
RUN make setup worker-dev

CMD ["make", "run"]
