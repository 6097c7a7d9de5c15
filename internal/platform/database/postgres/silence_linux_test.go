package postgres_test

import (
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/pgtest"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/postgres"
)

// TestAServerThatFallsSilentIsGivenUp: that packets vanish cannot be had without a network of one's own, so it is the
// socket that is asked.
func TestAServerThatFallsSilentIsGivenUp(t *testing.T) {
	t.Parallel()
	c, err := open(t, pgtest.URL(t), postgres.Config{}).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	for option, want := range map[[2]int]int{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE}:     1,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE}:    5,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL}:   5,
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT}:     2,
		{syscall.IPPROTO_TCP, 0x12 /* USER_TIMEOUT */}: 15_000,
	} {
		if got := socketOption(t, c.Conn(), option); got != want {
			t.Errorf("option %v is %d, want %d", option, got, want)
		}
	}
}

func socketOption(t *testing.T, c *pgx.Conn, option [2]int) (value int) {
	t.Helper()
	raw, err := c.PgConn().Conn().(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	if err := raw.Control(func(fd uintptr) { value, refused = syscall.GetsockoptInt(int(fd), option[0], option[1]) }); err != nil || refused != nil {
		t.Fatal(err, refused)
	}
	return value
}
