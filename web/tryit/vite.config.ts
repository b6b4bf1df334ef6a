import { defineConfig } from 'vite'
import { pageConfig } from '../build/shared.ts'

/** The try-it page: `vite build --config web/tryit/vite.config.ts` writes dist/tryit, served by the local SMS server at /try. */
export default defineConfig(pageConfig('tryit', '/try/'))
