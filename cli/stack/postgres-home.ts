import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, canBeEnteredBy } from './database-user.ts'

/** Where a data folder's PostgreSQL lives: `cluster` belongs to the database user, `passwords` to us. */
export type PostgresHome = { cluster: string; passwords: string; log: string }

/**
 * Finds or makes the folder of the cluster. Inside the data folder when the database user can get there;
 * otherwise (root, and the data folder is below a home of mode 700) in /var/lib/wardroom-<id>, the id being kept in the data folder.
 */
export const postgresHome = (dataDir: string, user: Account | undefined): PostgresHome => {
  const inside = join(dataDir, 'postgres')
  mkdirSync(inside, { recursive: true, mode: 0o700 })
  const idFile = join(inside, 'elsewhere')
  let home = inside
  if (user) {
    if (existsSync(idFile)) home = readFileSync(idFile, 'utf8').trim()
    else if (!existsSync(join(inside, 'cluster')) && !canBeEnteredBy(dataDir, user)) {
      home = `/var/lib/wardroom-${randomBytes(6).toString('hex')}`
      writeFileSync(idFile, `${home}\n`, { mode: 0o600 })
    }
    mkdirSync(home, { recursive: true })
    chmodSync(home, 0o711)
  }
  const cluster = join(home, 'cluster')
  mkdirSync(cluster, { recursive: true, mode: 0o700 })
  if (user) chownSync(cluster, user.uid, user.gid)
  return { cluster, passwords: join(inside, 'passwords.json'), log: join(dataDir, 'logs', 'postgres.log') }
}
