import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { precompress } from './build/precompress.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The patient page: `vite build --config web/vite.config.ts` writes dist/patient (see web/contract.ts for how it is served). */
export default defineConfig({
  root: here('./patient'),
  base: '/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [precompress()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    // The package does not export its wasm file; its address is needed early, to preload it.
    alias: [
      {
        find: /^crypto\.wasm/,
        replacement: here('../node_modules/@matrix-org/matrix-sdk-crypto-wasm/pkg/matrix_sdk_crypto_wasm_bg.wasm'),
      },
    ],
  },
  build: {
    outDir: here('../dist/patient'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0,
  },
})
