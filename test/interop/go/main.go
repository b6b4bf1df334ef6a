// Verifies an exported audit log with golang.org/x/mod/sumdb/tlog and note only: nothing here knows Wardroom's code.
//
//	verify FOLDER AGAINST WITNESS-VKEY PROOFS   checks everything, and the proofs that Wardroom made (JSON)
//	sign SKEY                                   signs the note text on standard input
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 6 && os.Args[1] == "verify":
		err = verify(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case len(os.Args) == 3 && os.Args[1] == "sign":
		err = sign(os.Args[2])
	default:
		err = fmt.Errorf("usage: verify FOLDER AGAINST WITNESS-VKEY PROOFS | sign SKEY")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func sign(skey string) error {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signed)
	return err
}

// folder reads tiles where C2SP tlog-tiles puts them, which is where Go puts them without the height.
type folder string

func (folder) Height() int                     { return 8 }
func (folder) SaveTiles([]tlog.Tile, [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		path := "tile/" + strings.TrimPrefix(t.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// bundlePath names an entry bundle as a tile of level 0, in its own folder.
func bundlePath(dir string, n int64, width int) string {
	path := tlog.Tile{H: 8, L: 0, N: n, W: width}.Path()
	return filepath.Join(dir, "tile/entries", strings.TrimPrefix(path, "tile/8/0/"))
}

func checkpoint(text string) (origin string, tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return "", tree, fmt.Errorf("not a checkpoint: %q", text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return lines[0], tree, err
}

// openAs opens a checkpoint that all of these keys must have signed.
func openAs(file string, verifiers ...note.Verifier) (tlog.Tree, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(opened.Sigs) != len(verifiers) {
		return tlog.Tree{}, fmt.Errorf("%s: %d of %d signatures", file, len(opened.Sigs), len(verifiers))
	}
	_, tree, err := checkpoint(opened.Text)
	return tree, err
}

// cosigner verifies cosignature/v1 (C2SP tlog-cosignature), which the note package leaves to others.
type cosigner struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.id }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a vkey: %q", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, fmt.Errorf("not a cosigner's vkey: %q", vkey)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	id := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", id) != parts[1] {
		return nil, fmt.Errorf("wrong id in %q", vkey)
	}
	return cosigner{parts[0], id, ed25519.PublicKey(key[1:])}, nil
}

func readEntries(dir string, size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := int(min(256, size-n*256))
		data, err := os.ReadFile(bundlePath(dir, n, width))
		if err != nil {
			return nil, err
		}
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("bundle %d ends early", n)
			}
			length := int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:2+length])
			data = data[2+length:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("bundle %d has more than %d entries", n, width)
		}
	}
	return entries, nil
}

// memory keeps the hashes that Go's own algorithm stores for each record.
type memory []tlog.Hash

func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, (*m)[i])
	}
	return out, nil
}

type proof struct {
	Kind  string      `json:"kind"`
	At    int64       `json:"at"`
	Proof []tlog.Hash `json:"proof"`
}

func sameProof(a, b []tlog.Hash) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func verify(dir, against, witness, proofFile string) error {
	var keys []note.Verifier
	vkeys, err := os.ReadFile(filepath.Join(dir, "vkey"))
	if err != nil {
		return err
	}
	for _, line := range strings.Fields(string(vkeys)) {
		key, err := note.NewVerifier(line)
		if err != nil {
			return err
		}
		keys = append(keys, key)
	}
	tree, err := openAs(filepath.Join(dir, "checkpoint"), keys[len(keys)-1])
	if err != nil {
		return err
	}
	older := map[string]tlog.Tree{}
	for i := 1; i < len(keys); i++ {
		file := filepath.Join(dir, "handover", strconv.Itoa(i))
		if older[file], err = openAs(file, keys[i-1], keys[i]); err != nil {
			return err
		}
	}
	cosigner, err := newCosigner(witness)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "cosigned")
	if older[file], err = openAs(file, keys[len(keys)-1], cosigner); err != nil {
		return err
	}
	if older[against], err = openAs(against, keys[len(keys)-1]); err != nil {
		return err
	}

	// From the entries alone: Go's own storage of every hash, and the root over it.
	entries, err := readEntries(dir, tree.N)
	if err != nil {
		return err
	}
	var stored memory
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, &stored)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(tree.N, &stored)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the root over the entries is %v, not %v", root, tree.Hash)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "entries.jsonl"))
	if err != nil {
		return err
	}
	if !bytes.Equal(lines, append(bytes.Join(entries, []byte("\n")), '\n')) {
		return fmt.Errorf("entries.jsonl does not have the entries")
	}

	// From the tiles: what Go reads there it verifies against the root.
	tiles := tlog.TileHashReader(tree, folder(dir))
	for from := 0; from < len(entries); from += 256 {
		bundle := entries[from:min(len(entries), from+256)]
		var indexes []int64
		for i := range bundle {
			indexes = append(indexes, tlog.StoredHashIndex(0, int64(from+i)))
		}
		hashes, err := tiles.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range bundle {
			if hashes[i] != tlog.RecordHash(entry) {
				return fmt.Errorf("entry %d has another hash in the tiles", from+i)
			}
		}
	}
	for file, old := range older {
		p, err := tlog.ProveTree(tree.N, old.N, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}

	var proofs []proof
	data, err := os.ReadFile(proofFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &proofs); err != nil {
		return err
	}
	for _, p := range proofs {
		var own []tlog.Hash
		switch p.Kind {
		case "inclusion":
			err = tlog.CheckRecord(p.Proof, tree.N, tree.Hash, p.At, tlog.RecordHash(entries[p.At]))
			if err == nil {
				own, err = tlog.ProveRecord(tree.N, p.At, tiles)
			}
		case "consistency":
			var old tlog.Hash
			if old, err = tlog.TreeHash(p.At, &stored); err == nil {
				err = tlog.CheckTree(p.Proof, tree.N, tree.Hash, p.At, old)
			}
			if err == nil {
				own, err = tlog.ProveTree(tree.N, p.At, tiles)
			}
		default:
			err = fmt.Errorf("a proof of %q", p.Kind)
		}
		if err != nil {
			return fmt.Errorf("%s proof at %d: %w", p.Kind, p.At, err)
		}
		if !sameProof(own, p.Proof) {
			return fmt.Errorf("%s proof at %d is not the one that Go makes", p.Kind, p.At)
		}
	}
	fmt.Printf("verified %d entries, %d earlier checkpoints, %d proofs\n", tree.N, len(older), len(proofs))
	return nil
}
