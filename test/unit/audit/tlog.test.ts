import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { decodeBundle, encodeBundle } from '../../../core/tlog/bundle.ts'
import { emptyRoot, leafHash, leafHashes, nodeHash, rootOfHashes } from '../../../core/tlog/hash.ts'
import { consistencyProof, inclusionProof, splitOf } from '../../../core/tlog/proof.ts'
import { entriesPath, type ReadTile, type Tile, tilePath, tilesOf } from '../../../core/tlog/tile.ts'
import { appendLeaves, emptyTree, rootOf, type Tree, treeFromTiles } from '../../../core/tlog/tree.ts'
import { verifyConsistency, verifyInclusion } from '../../../core/tlog/verify-proof.ts'
import { seed } from '../../support/random.ts'

type Case = { name: string; size: number; root: number; proof: number[]; holds: boolean }
type Vectors = {
  hashes: string[]
  inclusion: (Case & { index: number; leaf: number })[]
  consistency: (Case & { old: number; oldRoot: number })[]
}
const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../support/vectors/rfc6962-proofs.json'), 'utf8'),
) as Vectors
const vectorHash = (i: number) => Buffer.from(vectors.hashes[i] ?? '', 'base64')

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const entry = (i: number) => `entry ${i}`

/** A log kept as a deployment keeps it: stored tiles, and the heads of every size that was published. */
const grow = (size: number, batches: readonly number[]) => {
  const stored = new Map<string, Uint8Array>()
  const read: string[] = []
  let tree: Tree = emptyTree()
  const roots = new Map<number, Buffer>([[0, rootOf(tree)]])
  const store = ({ level, n, hashes }: Tile) => stored.set(`${level}/${n}`, hashes)
  for (let i = 0; tree.size < size; i++) {
    const count = Math.min(size - tree.size, batches[i % batches.length] ?? 1)
    const leaves = Array.from({ length: count }, (_, k) => entry(tree.size + k))
    const appended = appendLeaves(tree, leafHashes(leaves))
    appended.tiles.forEach(store)
    tree = appended.tree
    roots.set(tree.size, rootOf(tree))
  }
  const readTile: ReadTile = async ({ level, n }) => {
    read.push(`${level}/${n}`)
    return stored.get(`${level}/${n}`) ?? new Uint8Array(0)
  }
  return { tree, roots, stored, readTile, read }
}

/** The root as RFC 6962 defines it, by splitting. */
const definedRoot = (from: number, to: number): Buffer => {
  if (to - from === 0) return emptyRoot
  if (to - from === 1) return leafHash(entry(from))
  const middle = from + splitOf(to - from)
  return nodeHash(definedRoot(from, middle), definedRoot(middle, to))
}

const flipped = (bytes: Uint8Array, bit: number): Buffer => {
  const copy = Buffer.from(bytes)
  const at = bit % (copy.length * 8)
  copy[at >> 3]! ^= 1 << (at & 7)
  return copy
}

describe('the transparency log (RFC 6962, C2SP tlog-tiles)', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]

  it('has the root hashes of the Certificate Transparency reference tree at every size', () => {
    let tree = emptyTree()
    expect(hex(rootOf(tree))).to.equal(roots[0])
    for (const [i, input] of inputs.entries()) {
      tree = appendLeaves(tree, leafHash(Buffer.from(input, 'hex'))).tree
      expect(hex(rootOf(tree)), `${i + 1} entries`).to.equal(roots[i + 1])
    }
    expect(hex(rootOfHashes(leafHashes(inputs.map(i => Buffer.from(i, 'hex')))))).to.equal(roots[8])
  })

  it('judges the public vectors of inclusion proofs, right and wrong ones', () => {
    for (const c of vectors.inclusion) {
      const head = { size: c.size, root: vectorHash(c.root) }
      const holds = verifyInclusion(head, c.index, vectorHash(c.leaf), c.proof.map(vectorHash))
      expect(holds, c.name).to.equal(c.holds)
    }
    expect(vectors.inclusion.length).to.equal(98)
  })

  it('judges the public vectors of consistency proofs, right and wrong ones', () => {
    for (const c of vectors.consistency) {
      const [old, now] = [
        { size: c.old, root: vectorHash(c.oldRoot) },
        { size: c.size, root: vectorHash(c.root) },
      ]
      expect(verifyConsistency(old, now, c.proof.map(vectorHash)), c.name).to.equal(
        // Some have words in place of hashes, one of them as a case that holds.
        c.holds && old.root.length === 32,
      )
    }
    expect(vectors.consistency.length).to.equal(98)
  })

  it('names tiles and entry bundles as C2SP does', () => {
    expect(tilePath({ level: 0, n: 1234067, width: 256 })).to.equal('tile/0/x001/x234/067')
    expect(tilePath({ level: 1, n: 0, width: 17 })).to.equal('tile/1/000.p/17')
    expect(tilePath({ level: 2, n: 1000, width: 1 })).to.equal('tile/2/x001/000.p/1')
    expect(entriesPath(273, 112)).to.equal('tile/entries/273.p/112')
    const tiles = [...tilesOf(70_000)]
    expect(tiles.map(t => `${t.level}:${t.width}`).filter(t => !t.endsWith(':256'))).to.deep.equal([
      '0:112',
      '1:17',
      '2:1',
    ])
    expect(tiles.length).to.equal(273 + 1 + 1 + 1 + 1)
    expect([...tilesOf(256)]).to.deep.equal([
      { level: 0, n: 0, width: 256 },
      { level: 1, n: 0, width: 1 },
    ])
    expect([...tilesOf(0)]).to.deep.equal([])
  })

  it('keeps entries of every length in a bundle, and refuses a bundle that breaks off', () => {
    const entries = ['', 'a', 'é'.repeat(500), 'x'.repeat(65_535)].map(e => Buffer.from(e))
    const bundle = encodeBundle(entries)
    expect(decodeBundle(bundle)).to.deep.equal(entries)
    expect(bundle.subarray(0, 5)).to.deep.equal(Buffer.from([0, 0, 0, 1, 0x61]))
    for (const cut of [1, 3, 4, bundle.length - 1])
      expect(decodeBundle(bundle.subarray(0, cut))).to.include({ code: 'broken-bundle' })
    expect(() => encodeBundle([Buffer.alloc(65_536)])).to.throw('does not fit')
  })

  it('gives the same tiles and roots however the entries are batched, and can be taken up from its tiles at any size', async () => {
    const one = grow(530, [1])
    for (const [size, root] of one.roots) expect(hex(root), `${size}`).to.equal(hex(definedRoot(0, size)))
    for (const batches of [[7], [256], [530], [255, 1, 3], [300, 2]]) {
      const { stored, roots: some, tree, readTile } = grow(530, batches)
      for (const [size, root] of some)
        expect(hex(root), `batches of ${batches}, ${size}`).to.equal(hex(one.roots.get(size)!))
      expect([...stored.keys()].sort()).to.deep.equal([...one.stored.keys()].sort())
      for (const [key, hashes] of stored) expect(hex(hashes), key).to.equal(hex(one.stored.get(key)!))
      for (const size of [0, 1, 255, 256, 257, 511, 512, 530])
        expect(hex(rootOf(await treeFromTiles(size, readTile)))).to.equal(hex(one.roots.get(size)!))
      const again = appendLeaves(await treeFromTiles(530, readTile), leafHash('next')).tree
      expect(hex(rootOf(again))).to.equal(hex(rootOf(appendLeaves(tree, leafHash('next')).tree)))
    }
  })

  it('gives the tiles that changed, each once, and leaves the tree it was given as it was', () => {
    const before = appendLeaves(emptyTree(), leafHashes(Array.from({ length: 250 }, (_, i) => entry(i)))).tree
    const root = hex(rootOf(before))
    const { tree, tiles } = appendLeaves(before, leafHashes(Array.from({ length: 270 }, (_, i) => entry(250 + i))))
    expect(tiles.map(t => [t.level, t.n, t.width, t.hashes.length / 32])).to.deep.equal([
      [0, 0, 256, 256],
      [0, 1, 256, 256],
      [0, 2, 8, 8],
      [1, 0, 2, 2],
    ])
    expect([tree.size, before.size, hex(rootOf(before))]).to.deep.equal([520, 250, root])
    expect(appendLeaves(tree, new Uint8Array(0))).to.deep.equal({ tree, tiles: [] })
    expect(() => appendLeaves(tree, new Uint8Array(31))).to.throw('no whole number')
  })

  it('refuses to go on from a tile that is too short', async () => {
    const { stored, readTile } = grow(300, [300])
    stored.set('0/1', stored.get('0/1')!.subarray(0, 43 * 32))
    const failed = await treeFromTiles(300, readTile).then(
      () => undefined,
      (error: Error) => error.message,
    )
    expect(failed).to.equal('tile 1 of level 0 has 1376 bytes, not the 1408 of its width')
  })

  it('proves every entry in, and every size consistent with, every log of up to 60 entries (300 in long runs)', async function () {
    this.timeout(300_000)
    const most = process.env.WARDROOM_LONG === '1' ? 300 : 60
    const { roots: heads, readTile } = grow(most, [1])
    for (let size = 1; size <= most; size++) {
      const now = { size, root: heads.get(size)! }
      for (let i = 0; i < size; i++) {
        const proof = await inclusionProof(readTile, i, size)
        expect(proof.length).to.be.at.most(9)
        expect(verifyInclusion(now, i, leafHash(entry(i)), proof), `${i} in ${size}`).to.equal(true)
        expect(verifyInclusion(now, (i + 1) % (size + 1), leafHash(entry(i)), proof)).to.equal(false)
        const old = { size: i, root: heads.get(i)! }
        const consistent = await consistencyProof(readTile, i, size)
        expect(verifyConsistency(old, now, consistent), `${i} → ${size}`).to.equal(true)
      }
    }
  })

  it('proves across several levels of tiles from about two reads a level, and no changed proof, head or place holds', async function () {
    this.timeout(300_000)
    const log = grow(70_000, [4096])
    const size = 70_000
    const now = { size, root: rootOf(log.tree) }
    const long = process.env.WARDROOM_LONG === '1'
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 1), fc.integer({ min: 1, max: size }), fc.nat(), async (index, old, noise) => {
        log.read.length = 0
        const proof = await inclusionProof(log.readTile, index, size)
        expect(log.read.length).to.be.at.most(6)
        const leaf = leafHash(entry(index))
        expect(verifyInclusion(now, index, leaf, proof)).to.equal(true)
        const at = noise % proof.length
        const changed = proof.map((h, i) => (i === at ? flipped(h, noise) : h))
        const wrong: [typeof now, number, Buffer, Buffer[]][] = [
          [now, index, leaf, changed],
          [now, index, flipped(leaf, noise), proof],
          [{ ...now, root: flipped(now.root, noise) }, index, leaf, proof],
          [now, (index + 1 + (noise % (size - 1))) % size, leaf, proof],
          [now, index, leaf, proof.slice(1)],
          [now, index, leaf, [...proof, leaf]],
        ]
        for (const [i, w] of wrong.entries()) expect(verifyInclusion(...w), `change ${i}`).to.equal(false)

        const before = { size: old, root: rootOf(await treeFromTiles(old, log.readTile)) }
        const path = await consistencyProof(log.readTile, old, size)
        expect(verifyConsistency(before, now, path)).to.equal(true)
        expect(verifyConsistency({ ...before, root: flipped(before.root, noise) }, now, path)).to.equal(false)
        expect(verifyConsistency(before, { ...now, root: flipped(now.root, noise) }, path)).to.equal(false)
        expect(verifyConsistency(before, now, [...path, leaf])).to.equal(false)
        if (path.length === 0) return
        expect(verifyConsistency(before, now, path.slice(1))).to.equal(false)
        expect(verifyConsistency({ ...before, size: old === 1 ? 2 : old - 1 }, now, path)).to.equal(false)
        const k = noise % path.length
        expect(
          verifyConsistency(
            before,
            now,
            path.map((h, i) => (i === k ? flipped(h, noise) : h)),
          ),
        ).to.equal(false)
      }),
      { seed, numRuns: long ? 5000 : 150 },
    )
  })

  it('has no proof of what is not in the log', async () => {
    const { readTile } = grow(10, [10])
    const failure = (work: Promise<unknown>) =>
      work.then(
        () => undefined,
        (error: Error) => error.message,
      )
    expect(await failure(inclusionProof(readTile, 10, 10))).to.equal('a log of 10 entries has no entry 10')
    expect(await failure(consistencyProof(readTile, 11, 10))).to.equal('a log of 10 entries never had 11')
  })
})
