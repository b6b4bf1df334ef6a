import type { ServiceConfig } from '../../config/service.ts'
import type { Log } from '../../core/log.ts'

/** What every service gives back when it has started. */
export type Service = { stop(): Promise<void> }

/** Starts a service from the configuration: the place where the parts of `appservice` or `bots` meet their addresses, keys and secrets. */
export type StartService = (config: ServiceConfig, log: Log) => Promise<Service>
