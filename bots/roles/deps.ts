import type { Log } from '../../core/log.ts'
import type { Homeserver } from '../../core/matrix/homeserver.ts'
import type { StoreDeps } from '../../core/store/tx.ts'
import type { RolePool } from './pool.ts'

export type RolesDeps = { store: StoreDeps; homeserver: Homeserver; pool: RolePool; log: Log }
