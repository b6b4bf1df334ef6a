import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { serveFolder } from './static-server.ts'

const root = fileURLToPath(new URL('../../../web/gallery', import.meta.url))

/** Builds and serves the gallery of every screen; `stop` removes it again. */
export const gallery = async (): Promise<{ url: string; stop: () => Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'wardroom-gallery-'))
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: folder,
      emptyOutDir: true,
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  })
  const server = await serveFolder(folder)
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Draws one screen and waits until its pictures are there. */
export const showScreen = async (page: Page, url: string, name: string): Promise<void> => {
  await page.goto(`${url}/#${name}`)
  await page.waitForFunction(wanted => document.body.dataset.drawn === wanted, name)
  await page.waitForFunction(() => [...document.images].every(image => image.complete))
}
