import type { ServiceConfig } from '../config/service.ts'

/** What every service gives back when it has started. */
export type Service = { stop(): Promise<void> }

export type ServiceEntry = {
  name: ServiceName
  about: string
  /** Whether this installation has it. */
  wanted: (config: ServiceConfig) => boolean
  load: () => Promise<(config: ServiceConfig) => Promise<Service>>
}

export type ServiceName = 'keeper' | 'bridge' | 'bots' | 'local'

/** Wardroom's own processes, in the order of their start. */
export const services: ServiceEntry[] = []
