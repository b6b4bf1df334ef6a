import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

type Package = {
  version?: string
  optionalDependencies?: Record<string, string>
  os?: string[] | string
  integrity?: string
  /** It is inside its parent's package, whose hash covers it. */
  inBundle?: boolean
}

const root = join(import.meta.dirname, '../../..')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Package> }
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, Record<string, string>>

describe('package-lock.json', () => {
  it('lists every platform variant of every package: without one, npm ci refuses on a fresh machine', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter(name => !lock.packages[`${path}/node_modules/${name}`] && !lock.packages[`node_modules/${name}`])
        .map(name => `${path} → ${name}`),
    )
    expect(missing).to.deep.equal([])
  })

  it('has the hash of everything that Linux installs', () => {
    const bare = Object.entries(lock.packages)
      .filter(
        ([path, { os, integrity, inBundle }]) =>
          path !== '' && !integrity && !inBundle && (os === undefined || [os].flat().includes('linux')),
      )
      .map(([path]) => path)
    expect(bare.filter(path => !path.endsWith('-musl'))).to.deep.equal([])
  })

  it('goes with a package.json that pins every direct dependency exactly', () => {
    const direct = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
    const loose = Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    expect(loose).to.deep.equal([])
  })
})
