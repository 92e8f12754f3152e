# For those who build with Docker or Podman; `make image` needs neither, and gives
# the same image every time.
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t zmy-scaler .
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY internal internal
COPY pkg pkg
COPY proto proto
ARG TARGETOS TARGETARCH VERSION=dev COMMIT=unknown
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /scaler ./cmd/scaler

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /scaler /scaler
USER 65532:65532
EXPOSE 6000 8080
ENTRYPOINT ["/scaler"]
CMD ["serve"]
