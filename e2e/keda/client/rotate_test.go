package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// place is how files get into a directory, the first time and later.
type place struct {
	name string
	put  func(t *testing.T, dir, version string, files map[string]string)
}

func places() []place {
	return []place{
		{"overwritten", func(t *testing.T, dir, _ string, files map[string]string) { write(t, dir, files) }},
		{"swapped like a secret volume", swap},
	}
}

// swap does as kubelet does: the files of each version lie in a directory of
// their own, ..data points to the newest, and the names point through it.
func swap(t *testing.T, dir, version string, files map[string]string) {
	t.Helper()
	folder := filepath.Join(dir, ".."+version)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, folder, files)
	next, data := filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")
	if err := os.Symlink(filepath.Base(folder), next); err != nil {
		t.Fatal(err)
	}
	old, err := os.Readlink(data)
	if err == nil {
		defer os.RemoveAll(filepath.Join(dir, old))
	}
	if err := os.Rename(next, data); err != nil {
		t.Fatal(err)
	}
	for name := range files {
		link := filepath.Join(dir, name)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join("..data", name), link); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRotation rotates the server's certificate and the clients' CA under a
// running scaler. Whoever connects then meets the new ones; streams from before
// live on.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, pl := range places() {
		t.Run(pl.name, func(t *testing.T) {
			t.Parallel()
			testRotation(t, pl)
		})
	}
}

func testRotation(t *testing.T, pl place) {
	ca, oldClients, newClients := pki.New(t, "server CA"), pki.New(t, "client CA"), pki.New(t, "next client CA")
	before, after := ca.Server(t), ca.Server(t)
	dir := t.TempDir()
	pl.put(t, dir, "2026_01", files(before, oldClients))

	p := promquerytest.New(t, "")
	steady(t, p, "workers", 0)
	steady(t, p, "lag", 0)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}, TLS: tlsBlock(dir)}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	old := oldClients.Client(t, "keda.example")
	conn := rig.Dial(t, scaler.GRPC, grpc.WithTransportCredentials(credentials.NewTLS(ca.ClientConfig(t, old))))
	stream, err := pb.NewExternalScalerClient(conn).StreamIsActive(ctx, rig.Trigger{Address: scaler.GRPC, Metadata: asleep()}.Ref())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := stream.Recv(); err != nil || m.GetResult() {
		t.Fatalf("the first message: %v, %v", m, err)
	}
	if got := serial(ctx, t, scaler.GRPC, ca.ClientConfig(t, old)); got.Cmp(before.Serial) != 0 {
		t.Fatalf("the certificate is %v, want the first, %v", got, before.Serial)
	}

	pl.put(t, dir, "2026_02", files(after, newClients))
	fresh := newClients.Client(t, "keda.example")
	if err := wait.Until(ctx, "the new certificate", func() bool {
		return serial(ctx, t, scaler.GRPC, ca.ClientConfig(t, fresh)).Cmp(after.Serial) == 0
	}); err != nil {
		t.Fatal(err)
	}
	poll := func(own pki.Pair) error {
		_, err := rig.Ask(ctx, rig.Trigger{Address: scaler.GRPC, Auth: auth(ca, own), Metadata: asleep()}.Poll(t))
		return err
	}
	if err := poll(fresh); err != nil {
		t.Errorf("a client of the new CA: %v", err)
	}
	if err := poll(old); err == nil {
		t.Error("a new connection with a certificate of the old CA was answered")
	}
	// The stream from before is alive: it tells of what happens now.
	load(t, p, "lag", "another part", time.Now(), stretch{2 * time.Minute, 3})
	if m, err := stream.Recv(); err != nil || !m.GetResult() {
		t.Errorf("the stream from before the rotation: %v, %v; want active", m, err)
	}
}

// serial returns the number of the certificate that a new connection meets. It
// is 0 where the handshake fails.
func serial(ctx context.Context, t *testing.T, address string, c *tls.Config) *big.Int {
	t.Helper()
	number := new(big.Int)
	c = c.Clone()
	c.VerifyPeerCertificate = func(_ [][]byte, chains [][]*x509.Certificate) error {
		number = chains[0][0].SerialNumber
		return nil
	}
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Logf("handshake: %v", err)
		return new(big.Int)
	}
	if err := conn.Close(); err != nil {
		t.Logf("close: %v", err)
	}
	return number
}
