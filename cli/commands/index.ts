import type { CliCommand } from '../command.ts'

/** Every subcommand, loaded only when it is called. */
export const commands: Record<string, () => Promise<CliCommand>> = {
  start: () => import('./start.ts').then(m => m.start),
  run: () => import('./run.ts').then(m => m.run),
  config: () => import('./config.ts').then(m => m.config),
  migrate: () => import('./migrate.ts').then(m => m.migrate),
  registration: () => import('./registration.ts').then(m => m.registration),
  prepare: () => import('./prepare.ts').then(m => m.prepare),
  build: () => import('./build.ts').then(m => m.build),
  keys: () => import('./keys.ts').then(m => m.keys),
  bench: () => import('./bench.ts').then(m => m.bench),
  'crypto-reset': () => import('./crypto-reset.ts').then(m => m.cryptoReset),
  'grant-admin': () => import('./grant-admin.ts').then(m => m.grantAdmin),
  audit: () => import('./audit.ts').then(m => m.audit),
  export: () => import('./export.ts').then(m => m.exportRecords),
  oncall: () => import('./oncall.ts').then(m => m.oncall),
  witness: () => import('./witness.ts').then(m => m.witness),
  demo: () => import('./demo.ts').then(m => m.demo),
}
