// Checks a log's folder with the packages of Go's checksum database, which share no code with ours: the
// checkpoint's signature, where up to 5,000 entries are in the tree, and that it grew. Run by
// scripts/check-log-with-go.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (f folder) Height() int                         { return height }
func (f folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.read(tile)
		if err != nil {
			return nil, err
		}
		all = append(all, data[:min(len(data), tile.W*tlog.HashSize)])
	}
	return all, nil
}

// A tile, or the complete one that took its place. Its path names no height here.
func (f folder) read(tile tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(f.path(tile))
	if os.IsNotExist(err) {
		tile.W = 1 << height
		data, err = os.ReadFile(f.path(tile))
	}
	return data, err
}

func (f folder) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/data", "tile/entries", 1)
	return filepath.Join(string(f), strings.Replace(path, "tile/8/", "tile/", 1))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "check-log-with-go:", err)
		os.Exit(1)
	}
}

func main() {
	log := folder(os.Args[1])
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	text, err := os.ReadFile(filepath.Join(os.Args[1], "checkpoint"))
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	var root tlog.Hash
	copy(root[:], hash)

	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, log)
	proved := 0
	for index := int64(0); index < size; {
		width := min(size-index, 1<<height)
		bundle, err := log.read(tlog.Tile{H: height, L: -1, N: index >> height, W: int(width)})
		check(err)
		for ; width > 0; width-- {
			length := 2 + int(binary.BigEndian.Uint16(bundle))
			if index%(1+size/5000) == 0 {
				proof, err := tlog.ProveRecord(size, index, hashes)
				check(err)
				check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(bundle[2:length])))
				proved++
			}
			bundle = bundle[length:]
			index++
		}
	}
	for old := int64(1); old <= size; old += 1 + size/100 {
		earlier, err := tlog.TreeHash(old, hashes)
		check(err)
		proof, err := tlog.ProveTree(size, old, hashes)
		check(err)
		check(tlog.CheckTree(proof, size, root, old, earlier))
	}
	fmt.Printf("%s: Go agrees on %d of %d entries\n", lines[0], proved, size)
}
