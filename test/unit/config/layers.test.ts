import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { expect } from 'chai'

type Import = { file: string; target: string; typeOnly: boolean }

const root = join(import.meta.dirname, '..', '..', '..')
const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(f => f !== '' && !f.startsWith('test/') && !f.startsWith('bench/'))

const importLine =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/gm

const importsOf = (file: string): Import[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(importLine)].map(m => {
    const name = m[2] ?? m[3] ?? ''
    return {
      file,
      typeOnly: Boolean(m[1]),
      target: name.startsWith('.') ? normalize(join(dirname(file), name)) : `package:${name}`,
    }
  })

const imports = sources.flatMap(importsOf)
const under = (path: string, folder: string) => path === folder || path.startsWith(folder + sep)
const shown = (found: Import[]) => found.map(i => `${i.file} → ${i.target}`)
const packages = (name: RegExp) =>
  imports.filter(i => i.target.startsWith('package:') && name.test(i.target.slice('package:'.length)))

describe('who may import whom (docs/architecture.md)', () => {
  it('reads the import lines of the project', () => {
    expect(imports.length).to.be.greaterThan(100)
  })

  it('core/domain imports nothing but itself', () => {
    expect(shown(imports.filter(i => under(i.file, 'core/domain') && !under(i.target, 'core/domain')))).to.deep.equal(
      [],
    )
  })

  it('core imports no service and no configuration', () => {
    const outside = ['appservice', 'bots', 'audit', 'web', 'cli', 'config', 'test']
    expect(shown(imports.filter(i => under(i.file, 'core') && outside.some(o => under(i.target, o))))).to.deep.equal([])
  })

  it('appservice, bots and audit never import one another, nor the command line', () => {
    const services = ['appservice', 'bots', 'audit']
    const wrong = imports.filter(i =>
      services.some(s => under(i.file, s) && [...services, 'cli'].some(o => o !== s && under(i.target, o))),
    )
    expect(shown(wrong)).to.deep.equal([])
  })

  it('the web pages take nothing but the HTTP contract from outside, and the server nothing but it from them', () => {
    // It is about js-sdk alone, which both use.
    const shared = ['core/matrix/empty-syncs.ts']
    const out = imports.filter(
      i =>
        under(i.file, 'web') &&
        !i.target.startsWith('package:') &&
        !under(i.target, 'web') &&
        !(under(i.file, 'web/patient/matrix') && shared.includes(i.target)),
    )
    const contracts = ['web/contract.ts', 'web/admin-contract.ts', 'web/oncall-contract.ts']
    const into = imports.filter(i => !under(i.file, 'web') && under(i.target, 'web') && !contracts.includes(i.target))
    expect(shown([...out, ...into])).to.deep.equal([])
  })

  it('names the Matrix SDK only where encryption is done', () => {
    const allowed = ['core/matrix', 'appservice/ghosts', 'web/patient/matrix', 'web/tryit']
    const wrong = packages(
      /^(matrix-js-sdk|@matrix-org\/matrix-sdk-crypto-wasm|matrix-appservice-bridge|fake-indexeddb)/,
    ).filter(i => !allowed.some(a => under(i.file, a)))
    expect(shown(wrong)).to.deep.equal([])
  })

  it('names twilio only in appservice/sms', () => {
    expect(shown(packages(/^twilio/).filter(i => !under(i.file, 'appservice/sms')))).to.deep.equal([])
  })

  it('names knex and pg only in core/store', () => {
    expect(
      shown(
        packages(/^(knex|pg)$/).filter(i => !i.typeOnly && !under(i.file, 'core/store') && !under(i.file, 'cli/stack')),
      ),
    ).to.deep.equal([])
  })
})
