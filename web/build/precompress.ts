import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const brotli = promisify(brotliCompress)
const zip = promisify(gzip)
const worthwhile = /\.(js|css|svg|wasm|json)$/

/** Writes `name.br` (brotli 11) and `name.gz` beside every built asset, so that no request is ever compressed while a patient waits. */
export const precompress = (): Plugin => {
  let folder = ''
  return {
    name: 'wardroom-precompress',
    apply: 'build',
    configResolved: config => {
      folder = join(config.build.outDir, config.build.assetsDir)
    },
    closeBundle: async () => {
      const names = (await readdir(folder)).filter(name => worthwhile.test(name))
      await Promise.all(names.map(name => compress(join(folder, name))))
    },
  }
}

/** The wasm takes ten seconds and never changes between builds: what was compressed once is kept by its hash beside the dependencies. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/wardroom/', import.meta.url))

const compress = async (path: string): Promise<void> => {
  const bytes = await readFile(path)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    [constants.BROTLI_PARAM_LGWIN]: 24,
  }
  await Promise.all([
    cached(bytes, 'br', () => brotli(bytes, { params })).then(packed => writeFile(`${path}.br`, packed)),
    cached(bytes, 'gz', () => zip(bytes, { level: 9 })).then(packed => writeFile(`${path}.gz`, packed)),
  ])
}

const cached = async (bytes: Buffer, kind: string, make: () => Promise<Buffer>): Promise<Buffer> => {
  if (bytes.length < 1_000_000) return make()
  const file = join(cache, `${createHash('sha256').update(bytes).digest('hex')}.${kind}`)
  const known = await readFile(file).catch(() => null)
  if (known) return known
  const packed = await make()
  await mkdir(cache, { recursive: true })
  // Renamed into place: a build that is killed leaves no half file.
  await writeFile(`${file}.${process.pid}`, packed)
  await rename(`${file}.${process.pid}`, file)
  return packed
}
