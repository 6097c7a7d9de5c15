package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrayCodec writes the slices that batches are made of in one pass. The driver's own codec reflects on each element, which
// is an allocation for each of them. What it does not know it leaves to the driver's.
type arrayCodec struct{ *pgtype.ArrayCodec }

// speedUpArrays replaces the codecs of the arrays that statements take.
func speedUpArrays(c *pgx.Conn) {
	types := c.TypeMap()
	for _, oid := range []uint32{pgtype.BoolArrayOID, pgtype.ByteaArrayOID, pgtype.Int4ArrayOID, pgtype.Int8ArrayOID, pgtype.TextArrayOID, pgtype.UUIDArrayOID} {
		if t, ok := types.TypeForOID(oid); ok {
			if driver, ok := t.Codec.(*pgtype.ArrayCodec); ok {
				types.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: arrayCodec{driver}})
			}
		}
	}
}

// PlanEncode implements pgtype.Codec.
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		if plan := planSlice(c.ElementType.OID, value); plan != nil {
			return plan
		}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// planSlice is the plan of a slice whose elements need no conversion, and nil for any other.
func planSlice(element uint32, value any) pgtype.EncodePlan {
	switch value.(type) {
	case []bool:
		return plan(element, pgtype.BoolOID, appendBool)
	case []int32:
		return plan(element, pgtype.Int4OID, appendInt32)
	case []int64:
		return plan(element, pgtype.Int8OID, appendInt64)
	case []pgtype.Int8:
		return plan(element, pgtype.Int8OID, appendInt8)
	case []string:
		return plan(element, pgtype.TextOID, appendString)
	case []pgtype.Text:
		return plan(element, pgtype.TextOID, appendText)
	case [][16]byte:
		return plan(element, pgtype.UUIDOID, appendBytes16)
	case []pgtype.UUID:
		return plan(element, pgtype.UUIDOID, appendUUID)
	case [][]byte:
		if element == pgtype.TextOID { // both are their bytes
			return slicePlan[[]byte]{element, appendBytes}
		}
		return plan(element, pgtype.ByteaOID, appendBytes)
	default:
		return nil
	}
}

func plan[T any](element, want uint32, write func([]byte, T) []byte) pgtype.EncodePlan {
	if element != want {
		return nil
	}
	return slicePlan[T]{element, write}
}

// slicePlan encodes a []T as a one-dimensional array.
type slicePlan[T any] struct {
	element uint32
	write   func(buf []byte, element T) []byte
}

// Encode implements pgtype.EncodePlan, in the form that array_recv of PostgreSQL's arrayfuncs.c reads.
func (p slicePlan[T]) Encode(value any, buf []byte) ([]byte, error) {
	const headerSize, guess = 20, 20
	elements := value.([]T)
	buf = slices.Grow(buf, headerSize+guess*len(elements))
	buf = binary.BigEndian.AppendUint32(buf, 1) // dimension
	buf = binary.BigEndian.AppendUint32(buf, 1) // there may be NULLs
	buf = binary.BigEndian.AppendUint32(buf, p.element)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(elements)))
	buf = binary.BigEndian.AppendUint32(buf, 1) // the first index
	for _, e := range elements {
		buf = p.write(buf, e)
	}
	return buf, nil
}

// Each element is its length in bytes and then these. A NULL has the length -1.

func appendNull(buf []byte) []byte { return binary.BigEndian.AppendUint32(buf, 1<<32-1) }

func appendBool(buf []byte, v bool) []byte {
	if v {
		return append(buf, 0, 0, 0, 1, 1)
	}
	return append(buf, 0, 0, 0, 1, 0)
}

func appendInt32(buf []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(append(buf, 0, 0, 0, 4), uint32(v))
}

func appendInt64(buf []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(v))
}

func appendInt8(buf []byte, v pgtype.Int8) []byte {
	if !v.Valid {
		return appendNull(buf)
	}
	return appendInt64(buf, v.Int64)
}

func appendString(buf []byte, v string) []byte {
	return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...)
}

func appendText(buf []byte, v pgtype.Text) []byte {
	if !v.Valid {
		return appendNull(buf)
	}
	return appendString(buf, v.String)
}

func appendBytes(buf []byte, v []byte) []byte {
	if v == nil {
		return appendNull(buf)
	}
	return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...)
}

func appendBytes16(buf []byte, v [16]byte) []byte { return append(append(buf, 0, 0, 0, 16), v[:]...) }

func appendUUID(buf []byte, v pgtype.UUID) []byte {
	if !v.Valid {
		return appendNull(buf)
	}
	return appendBytes16(buf, v.Bytes)
}
