import { loadConfig } from '../config/load.ts'
import { type ServiceConfig, serviceConfig } from '../config/service.ts'
import { isRefusal, type Refusal } from '../core/domain/refusal.ts'
import { readKeyFile } from '../core/keys.ts'
import { createSeal, type SealingKeys } from '../core/seal.ts'
import { openDb } from '../core/store/db.ts'
import type { StoreDeps } from '../core/store/tx.ts'
import { systemClock, systemRandom } from '../core/system.ts'
import { Explained } from './command.ts'

/** @throws Explained with the refusal's sentence. */
export const orExplain = <T>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Explained(value.sentence)
  return value
}

/** Runs `work` on the database and keys of the configuration in `file` (else the usual one), and closes them. `name`: how the connection shows itself. */
export const withStore = async <T>(
  file: string | undefined,
  name: string,
  work: (store: StoreDeps, config: ServiceConfig) => Promise<T>,
): Promise<T> => {
  const config = serviceConfig(loadConfig({ file }))
  if ('missing' in config)
    throw new Explained(
      `This needs ${config.missing.join(' and ')}; the embedded installation's file is data/run/wardroom.yaml.`,
    )
  const db = openDb(config.database.url.reveal(), { max: 4, name })
  try {
    const seal = createSeal(readKeyFile<SealingKeys>(config.keys.file))
    return await work({ db, clock: systemClock, random: systemRandom, seal }, config)
  } finally {
    await db.destroy()
  }
}
