import { fileURLToPath } from 'node:url'
import type { UserConfig } from 'vite'
import { precompress } from './precompress.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What every page's build has in common; `name` is its folder below web/ and below dist/, `base` where it is served. */
export const pageConfig = (name: string, base: string): UserConfig => ({
  root: here(`../${name}`),
  base,
  publicDir: false,
  logLevel: 'warn',
  plugins: [precompress()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    // The package does not export its wasm file; its address is needed early, to preload it.
    alias: [
      {
        find: /^crypto\.wasm/,
        replacement: here('../../node_modules/@matrix-org/matrix-sdk-crypto-wasm/pkg/matrix_sdk_crypto_wasm_bg.wasm'),
      },
    ],
  },
  build: {
    outDir: here(`../../dist/${name}`),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0,
  },
})
