/**
 * Writes requirements.txt from requirements.in: exact versions and sha256 hashes for CPython 3.10 to 3.14 on Linux, amd64 and arm64 (glibc).
 * Needs `uv` (https://docs.astral.sh/uv/) on the path. Run: node config/synapse/lock.ts
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

type IndexFile = { filename: string; hashes: { sha256?: string } }

const here = import.meta.dirname
const index = (process.env.PIP_INDEX_URL ?? 'https://pypi.org/simple').replace(/\/$/, '')

const compiled = execFileSync(
  'uv',
  [
    'pip',
    'compile',
    '--universal',
    '--only-binary',
    ':all:',
    '-p',
    '3.10',
    '--no-header',
    '--no-annotate',
    '-q',
    join(here, 'requirements.in'),
  ],
  { encoding: 'utf8' },
)

/** A wheel that one of the supported machines can use. */
const usable = (filename: string): boolean => {
  const [python = '', abi = '', platform = ''] = filename
    .replace(/\.whl$/, '')
    .split('-')
    .slice(-3)
  if (!filename.endsWith('.whl')) return false
  const forUs = platform === 'any' || (/manylinux/.test(platform) && /x86_64|aarch64/.test(platform))
  const versions = abi === 'abi3' || python.includes('py3') || /^cp31[0-4](\.|$)/.test(python)
  return forUs && versions && !/^cp31[0-9]t$/.test(abi)
}

const hashes = async (name: string, version: string): Promise<string[]> => {
  const response = await fetch(`${index}/${name}/`, { headers: { accept: 'application/vnd.pypi.simple.v1+json' } })
  if (!response.ok) throw new Error(`${index}/${name}/ answered ${response.status}`)
  const { files } = (await response.json()) as { files: IndexFile[] }
  const ours = files.filter(file => file.filename.split('-')[1] === version && usable(file.filename))
  if (ours.length === 0) throw new Error(`${name} ${version} has no usable wheel`)
  return ours
    .map(file => file.hashes.sha256 ?? '')
    .filter(Boolean)
    .sort()
}

const pinned = compiled.split('\n').filter(line => /^[a-z0-9]/.test(line))
const blocks = await Promise.all(
  pinned.map(async line => {
    const [, name = '', version = ''] = /^([a-z0-9._-]+)==([^ ;]+)/.exec(line) ?? []
    return [line, ...(await hashes(name, version)).map(hash => `    --hash=sha256:${hash}`)].join(' \\\n')
  }),
)
const header = '# Written by config/synapse/lock.ts from requirements.in; do not edit.'
writeFileSync(join(here, 'requirements.txt'), `${[header, ...blocks].join('\n')}\n`)
