import { defineConfig } from 'vite'
import { pageConfig } from './build/shared.ts'

/** The patient page: `vite build --config web/vite.config.ts` writes dist/patient (see web/contract.ts for how it is served). */
export default defineConfig(pageConfig('patient', '/'))
