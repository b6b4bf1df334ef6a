import type { ServiceConfig } from '../../config/service.ts'
import type { StartService } from './service.ts'

export type ServiceEntry = {
  name: string
  about: string
  /** Whether this installation has it. */
  wanted: (config: ServiceConfig) => boolean
  /** Loads its code: a process holds only its own. */
  load: () => Promise<StartService>
}

/** Wardroom's own processes, in the order of their start. */
export const services: ServiceEntry[] = [
  {
    name: 'keeper',
    about: "hands a patient's key to a verified session",
    wanted: () => true,
    load: () => import('./keeper.ts').then(m => m.keeper),
  },
  {
    name: 'bridge',
    about: 'care rooms, the patient page, text messages',
    wanted: () => true,
    load: () => import('./bridge.ts').then(m => m.bridge),
  },
  {
    name: 'bots',
    about: 'the bot that obeys commands',
    wanted: () => true,
    load: () => import('./bots.ts').then(m => m.bots),
  },
  {
    name: 'audit',
    about: "the audit log: its sequence, sinks, alerts, pins and the administrators' page",
    wanted: () => true,
    load: () => import('./audit.ts').then(m => m.audit),
  },
  {
    name: 'local',
    about: 'the local SMS server, the handset and the try-it page',
    wanted: config => config.sms.provider === 'local',
    load: () => import('./local.ts').then(m => m.local),
  },
]
