module github.com/infra-arch/zmy-scaler/e2e

go 1.26.0
