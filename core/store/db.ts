import knexModule, { type Knex } from 'knex'
import pg from 'pg'

/** The pool on the `wardroom` database. Only core/store may use it directly; everybody else calls the store's functions. */
export type Db = Knex

// int8 columns hold milliseconds and counters, all far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

const quiet = () => undefined

/**
 * Opens a pool on a PostgreSQL URL (`postgres://…`). Connections use short TCP keepalives, so that a vanished host frees its locks.
 * `max` connections; `name` shows in pg_stat_activity. Close with `db.destroy()`.
 */
export const openDb = (url: string, options: { max?: number; name?: string } = {}): Db =>
  knexModule({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: options.name ?? 'wardroom',
      keepAlive: true,
      keepAliveInitialDelayMillis: 5000,
      connectionTimeoutMillis: 10_000,
      options:
        '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2 -c client_connection_check_interval=5000',
    },
    pool: { min: 0, max: options.max ?? 10 },
    acquireConnectionTimeout: 30_000,
    // What knex would print is thrown as well; printed, it would bypass the log's redaction.
    log: { warn: quiet, error: quiet, deprecate: quiet, debug: quiet },
  })

/** A second pool on the same database, so that work that holds connections for long never starves the first. Close it too. */
export const siblingDb = (db: Db, max: number): Db =>
  knexModule({ ...(db.client.config as Knex.Config), pool: { min: 0, max } })

/** Fails while the database cannot be reached. */
export const reach = async (db: Db): Promise<void> => {
  await db.raw('select 1')
}

/** A connection of its own, outside every pool, not yet connected. */
export const loneConnection = (db: Db): pg.Client => new pg.Client(db.client.config.connection as pg.ClientConfig)
