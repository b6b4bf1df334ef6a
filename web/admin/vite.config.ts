import { defineConfig } from 'vite'
import { pageConfig } from '../build/shared.ts'

/** The administrators' page: `vite build --config web/admin/vite.config.ts` writes dist/admin, served by the audit process (web/admin-contract.ts). */
export default defineConfig(pageConfig('admin', '/'))
