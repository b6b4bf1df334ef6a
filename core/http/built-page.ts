import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream'
import express, { type Request, type Response, type Router } from 'express'

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

export const contentType = (file: string): string => types[extname(file).toLowerCase()] ?? 'application/octet-stream'

type Asset = {
  file: string
  type: string
  bytes: number
  packed: { encoding: 'br' | 'gzip'; file: string; bytes: number }[]
}

/** The folder's assets by name, each with its packed forms. Only names from this list are ever opened, so no path can lead elsewhere. */
const listAssets = (folder: string): Map<string, Asset> => {
  const names = readdirSync(folder)
  const size = (name: string) => statSync(join(folder, name)).size
  const packed = (name: string) =>
    (['br', 'gz'] as const)
      .filter(ending => names.includes(`${name}.${ending}`))
      .map(ending => ({
        encoding: ending === 'br' ? ('br' as const) : ('gzip' as const),
        file: join(folder, `${name}.${ending}`),
        bytes: size(`${name}.${ending}`),
      }))
  return new Map(
    names
      .filter(name => !/\.(br|gz|map)$/.test(name))
      .map(name => [
        name,
        { file: join(folder, name), type: contentType(name), bytes: size(name), packed: packed(name) },
      ]),
  )
}

const sendAsset = (req: Request, res: Response, asset: Asset): void => {
  const best = asset.packed.find(p => req.acceptsEncodings(p.encoding) === p.encoding)
  res.set({
    'Content-Type': asset.type,
    'Content-Length': String(best?.bytes ?? asset.bytes),
    'Cache-Control': 'public, max-age=31536000, immutable',
    Vary: 'Accept-Encoding',
    ...(best ? { 'Content-Encoding': best.encoding } : {}),
  })
  if (req.method === 'HEAD') return void res.end()
  pipeline(createReadStream(best?.file ?? asset.file), res, () => undefined)
}

/** A page as the build wrote it: its HTML, and a router that serves its hashed assets for ever, and robots.txt. GET and HEAD only. */
export type BuiltPage = { html: string; files: Router }

/** Reads `dist/<page>` into memory but for its assets. @throws when the page was not built. */
export const builtPage = (folder: string): BuiltPage => {
  let html: string
  try {
    html = readFileSync(join(folder, 'index.html'), 'utf8')
  } catch (cause) {
    throw new Error(`the page is not built: ${join(folder, 'index.html')} is missing`, { cause })
  }
  const assets = listAssets(join(folder, 'assets'))
  const files = express.Router({ caseSensitive: true, strict: true })
  files.get('/robots.txt', (_req, res) => res.type('text/plain').send('User-agent: *\nDisallow: /\n'))
  files.get('/assets/:name', (req, res, next) => {
    const asset = assets.get(String(req.params.name))
    return asset ? sendAsset(req, res, asset) : next()
  })
  return { html, files }
}
