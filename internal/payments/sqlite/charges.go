package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pedidos-veloz/pedidos-veloz/internal/money"
	"github.com/pedidos-veloz/pedidos-veloz/internal/payments"
	"github.com/pedidos-veloz/pedidos-veloz/internal/platform/database/sqlite"
)

const chargeColumns = `id, order_id, method, token, amount_cents, provider, status, decline_reason, pix_txid, pix_copy_paste,
	pix_expires_at, received_cents, refunded_cents, close_wanted, refund_wanted, notice, version, attempts, next_attempt_at,
	created_at, updated_at`

func cents(r sqlite.Row, column int) money.Cents { return money.Cents(r.Int64(column)) }

func scanCharge(r sqlite.Row) payments.Charge {
	c := payments.Charge{
		Method: payments.Method(r.Text(2)), Token: r.Text(3), Amount: cents(r, 4), Provider: r.Text(5),
		Status: payments.Status(r.Text(6)), DeclineReason: r.Text(7), Received: cents(r, 11), Refunded: cents(r, 12),
		CloseWanted: r.Bool(13), RefundWanted: r.Bool(14), Notice: r.Bool(15), Version: r.Int64(16), Attempts: r.Int(17),
		CreatedAt: r.Time(19), UpdatedAt: r.Time(20),
	}
	copy(c.ID[:], r.Raw(0))
	copy(c.OrderID[:], r.Raw(1))
	if !r.IsNull(8) {
		c.Pix = &payments.PixCharge{TxID: r.Text(8), CopyPaste: r.Text(9), ExpiresAt: r.Time(10)}
	}
	if !r.IsNull(18) {
		c.NextAttemptAt = r.Time(18)
	}
	return c
}

func collect(into *[]payments.Charge) func(sqlite.Row) error {
	return func(r sqlite.Row) error {
		*into = append(*into, scanCharge(r))
		return nil
	}
}

func bindPix(s *sqlite.Stmt, pix *payments.PixCharge) *sqlite.Stmt {
	if pix == nil {
		return s.Null().Null().Null()
	}
	return s.Text(pix.TxID).Text(pix.CopyPaste).Time(pix.ExpiresAt)
}

// bindDue binds NULL for the zero time, which is never.
func bindDue(s *sqlite.Stmt, at time.Time) *sqlite.Stmt {
	if at.IsZero() {
		return s.Null()
	}
	return s.Time(at)
}

const insertChargeSQL = `INSERT INTO charges (` + chargeColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// Create implements payments.Store.
func (s *Store) Create(ctx context.Context, charges []payments.Charge) (created []payments.Created, err error) {
	if len(charges) == 0 {
		return nil, nil
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		created = make([]payments.Created, len(charges))
		for i := range charges {
			if created[i], err = create(c, &charges[i]); err != nil {
				return fmt.Errorf("create charge %s: %w", charges[i].ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

func create(c *sqlite.Conn, charge *payments.Charge) (payments.Created, error) {
	stmt, err := c.Prepare(insertChargeSQL)
	if err != nil {
		return payments.Created{}, err
	}
	stmt.Blob(charge.ID[:]).Blob(charge.OrderID[:]).Text(string(charge.Method)).Text(charge.Token).Int64(int64(charge.Amount)).
		Text(charge.Provider).Text(string(charge.Status)).Text(charge.DeclineReason)
	bindPix(stmt, charge.Pix).Int64(int64(charge.Received)).Int64(int64(charge.Refunded)).
		Bool(charge.CloseWanted).Bool(charge.RefundWanted).Bool(charge.Notice).Int64(charge.Version).Int(charge.Attempts)
	if err := bindDue(stmt, charge.NextAttemptAt).Time(charge.CreatedAt).Time(charge.UpdatedAt).Exec(); err != nil {
		return payments.Created{}, err
	}
	if c.Changes() == 1 {
		return payments.Created{Charge: *charge, New: true}, nil
	}
	existing, found, err := selectCharge(c, charge.ID)
	if err == nil && !found {
		err = errors.New("neither written nor there")
	}
	return payments.Created{Charge: existing}, err
}

const selectChargeSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE id = ?`

func selectCharge(c *sqlite.Conn, id payments.ID) (charge payments.Charge, found bool, err error) {
	stmt, err := c.Prepare(selectChargeSQL)
	if err != nil {
		return charge, false, err
	}
	found, err = stmt.Blob(id[:]).One(func(r sqlite.Row) error {
		charge = scanCharge(r)
		return nil
	})
	return charge, found, err
}

// Save implements payments.Store.
func (s *Store) Save(ctx context.Context, changes []payments.Change) (saved []bool, err error) {
	if len(changes) == 0 {
		return nil, nil
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		saved, err = saveAll(c, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return saved, nil
}

func saveAll(c *sqlite.Conn, changes []payments.Change) (saved []bool, err error) {
	saved = make([]bool, len(changes))
	var written []payments.Transfer
	for i := range changes {
		if saved[i], err = update(c, &changes[i].Charge); err != nil {
			return nil, fmt.Errorf("save charge %s: %w", changes[i].Charge.ID, err)
		}
		if saved[i] {
			written = append(written, changes[i].Transfers...)
		}
	}
	return saved, record(c, written)
}

const updateChargeSQL = `UPDATE charges SET status = ?, decline_reason = ?, pix_txid = ?, pix_copy_paste = ?, pix_expires_at = ?,
	received_cents = ?, refunded_cents = ?, close_wanted = ?, refund_wanted = ?, notice = ?, version = ?, attempts = ?,
	next_attempt_at = ?, updated_at = ?
WHERE id = ? AND version = ?`

// update writes what can change of a charge, if the version before it is there.
func update(c *sqlite.Conn, charge *payments.Charge) (bool, error) {
	stmt, err := c.Prepare(updateChargeSQL)
	if err != nil {
		return false, err
	}
	stmt.Text(string(charge.Status)).Text(charge.DeclineReason)
	bindPix(stmt, charge.Pix).Int64(int64(charge.Received)).Int64(int64(charge.Refunded)).
		Bool(charge.CloseWanted).Bool(charge.RefundWanted).Bool(charge.Notice).Int64(charge.Version).Int(charge.Attempts)
	err = bindDue(stmt, charge.NextAttemptAt).Time(charge.UpdatedAt).Blob(charge.ID[:]).Int64(charge.Version - 1).Exec()
	return c.Changes() == 1, err
}

// Get implements payments.Store.
func (s *Store) Get(ctx context.Context, ids []payments.ID) (charges []payments.Charge, err error) {
	wanted := slices.Clone(ids)
	slices.SortFunc(wanted, func(a, b payments.ID) int { return slices.Compare(a[:], b[:]) })
	wanted = slices.Compact(wanted)
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		for _, id := range wanted {
			charge, found, err := selectCharge(c, id)
			if err != nil {
				return err
			}
			if found {
				charges = append(charges, charge)
			}
		}
		return nil
	})
	return charges, err
}

const byOrderSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE order_id = ? ORDER BY id`

// ByOrder implements payments.Store.
func (s *Store) ByOrder(ctx context.Context, order payments.OrderID) (charges []payments.Charge, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(byOrderSQL)
		if err != nil {
			return err
		}
		return stmt.Blob(order[:]).Query(collect(&charges))
	})
	return charges, err
}

const (
	dueSQL   = `SELECT id FROM charges WHERE next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ?`
	claimSQL = `UPDATE charges SET version = version + 1, next_attempt_at = ? WHERE id = ? RETURNING ` + chargeColumns
)

// Claim implements payments.Store.
func (s *Store) Claim(ctx context.Context, now, leaseUntil time.Time, limit int) (charges []payments.Charge, err error) {
	if idle, err := s.idle(ctx, dueSQL, now); idle || err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(c *sqlite.Conn) error {
		due, err := dueCharges(c, now, limit)
		if err != nil {
			return err
		}
		stmt, err := c.Prepare(claimSQL)
		if err != nil {
			return err
		}
		charges = make([]payments.Charge, 0, len(due))
		for _, id := range due {
			if err := stmt.Time(leaseUntil).Blob(id[:]).Query(collect(&charges)); err != nil {
				return fmt.Errorf("claim charge %s: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return charges, nil
}

func dueCharges(c *sqlite.Conn, now time.Time, limit int) (due []payments.ID, err error) {
	stmt, err := c.Prepare(dueSQL)
	if err != nil {
		return nil, err
	}
	err = stmt.Time(now).Int(limit).Query(func(r sqlite.Row) error {
		due = append(due, payments.ID(r.Raw(0)))
		return nil
	})
	return due, err
}

// idle looks through a reader whether anything is due: a loop that finds nothing shall neither wait for the writer nor
// make it sync.
func (s *Store) idle(ctx context.Context, sql string, now time.Time) (idle bool, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(sql)
		if err != nil {
			return err
		}
		found, err := stmt.Time(now).Int(1).One(func(sqlite.Row) error { return nil })
		idle = !found
		return err
	})
	return idle, err
}

const noticesSQL = `SELECT ` + chargeColumns + ` FROM charges WHERE notice = 1 ORDER BY id LIMIT ?`

// Notices implements payments.Store.
func (s *Store) Notices(ctx context.Context, limit int) (charges []payments.Charge, err error) {
	err = s.db.Read(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(noticesSQL)
		if err != nil {
			return err
		}
		return stmt.Int(limit).Query(collect(&charges))
	})
	return charges, err
}

const ackSQL = `UPDATE charges SET notice = 0 WHERE id = ? AND version = ? AND notice = 1`

// Ack implements payments.Store.
func (s *Store) Ack(ctx context.Context, acks []payments.Ack) error {
	if len(acks) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(c *sqlite.Conn) error {
		stmt, err := c.Prepare(ackSQL)
		if err != nil {
			return err
		}
		for _, a := range acks {
			if err := stmt.Blob(a.ID[:]).Int64(a.Version).Exec(); err != nil {
				return fmt.Errorf("acknowledge %s: %w", a.ID, err)
			}
		}
		return nil
	})
}
