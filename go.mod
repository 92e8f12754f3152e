module github.com/infra-arch/zmy-scaler

go 1.26.0
