package main

// Writes a disk's content from its recipe into a sparse file of full length.

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"syscall"
)

const (
	fallocKeepSize  = 1 // FALLOC_FL_KEEP_SIZE of linux/falloc.h
	fallocPunchHole = 2 // FALLOC_FL_PUNCH_HOLE
)

func writeContent(file string, size Bytes, content []Span) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("create disk content: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return fmt.Errorf("set length of disk content %s: %w", file, err)
	}
	for _, s := range content {
		if err := writeSpan(f, s); err != nil {
			return fmt.Errorf("write %s at %d of %s: %w", s.Kind, s.Offset, file, err)
		}
	}
	return nil
}

func writeSpan(f *os.File, s Span) error {
	var source io.Reader
	switch s.Kind {
	case "hole":
		return syscall.Fallocate(int(f.Fd()), fallocKeepSize|fallocPunchHole, int64(s.Offset), int64(s.Length))
	case "zero":
		source = zeros{}
	case "random":
		source = rand.NewChaCha8([32]byte{
			byte(s.Seed), byte(s.Seed >> 8), byte(s.Seed >> 16), byte(s.Seed >> 24),
			byte(s.Seed >> 32), byte(s.Seed >> 40), byte(s.Seed >> 48), byte(s.Seed >> 56)})
	}
	_, err := io.CopyN(io.NewOffsetWriter(f, int64(s.Offset)), source, int64(s.Length))
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// flip inverts the bits of one byte.
func flip(file string, offset int64) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("flip a byte: %w", err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, offset); err != nil {
		return fmt.Errorf("flip byte %d of %s: %w", offset, file, err)
	}
	b[0] ^= 0xff
	_, err = f.WriteAt(b, offset)
	return err
}
