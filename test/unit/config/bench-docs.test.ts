import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'

const root = join(import.meta.dirname, '../../..')
const sources = readdirSync(join(root, 'bench'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => readFileSync(join(root, 'bench', file), 'utf8'))
const figures = sources.flatMap(text => {
  const [, area = '', names = ''] = /area: '(\w+)',\s+figures: \[([^\]]+)\]/.exec(text) ?? []
  return [...names.matchAll(/'(\w+)'/g)].map(m => `${area}.${m[1]}`)
})
const [meanings = '', measured = ''] = readFileSync(join(root, 'docs/bench.md'), 'utf8').split('## Last measured')
const lines = (part: string) =>
  [...part.matchAll(/^\| `([\w.]+)` \|.*\| (.+) \|$/gm)].map(m => [m[1] ?? '', m[2] ?? ''] as const)

describe('docs/bench.md', () => {
  it('says of every figure what it means, with its goal, and what was last measured', () => {
    expect(figures.length).to.be.greaterThan(30)
    for (const part of [meanings, measured]) expect(lines(part).map(([name]) => name)).to.have.members(figures)
    expect(lines(meanings).filter(([, goal]) => !/[≤≥]/.test(goal))).to.deep.equal([])
    expect(lines(measured).filter(([, holds]) => !/^(yes|\*\*no\*\*|–)$/.test(holds))).to.deep.equal([])
  })
})
